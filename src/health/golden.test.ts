import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Expectation } from '../core/deployment.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { makeDeployment, makeProbeSettings } from './fixtures.ts'
import { flawOf, goldenTimes, isRight, questionFor } from './golden.ts'
import type { Answered } from './golden.ts'
import { NOTHING_LEARNED } from './ladder.ts'
import { planProbe } from './probes.ts'
import { DEFAULT_HEALTH_SETTINGS } from './settings.ts'

const expecting = (expect: Expectation) => makeDeployment({ probe: makeProbeSettings({ expect }) })

function chat(content: Json, finish = 'stop', model = 'gpt-4o-2024-08-06'): Answered {
  const message: JsonObject = { role: 'assistant', content }
  const choices = [{ index: 0, message, finish_reason: finish }]
  return { id: 'x', object: 'chat.completion', created: 1, model, choices }
}

const completion = (text: string): Answered => ({ text, model: 'm', whole: { choices: [{ text }] } })
const vector = (dimensions: number): Answered => ({ dimensions, model: 'e', vectors: [[1]] })

describe('what an answer must be like', () => {
  const table: readonly (readonly [string, Expectation, Answered, RegExp | undefined])[] = [
    ['anything, where nothing is written', {}, chat('x', 'stop', 'other'), undefined],
    ['the expected model', { model: /^gpt-4o/ }, chat('x'), undefined],
    [
      'another model',
      { model: /^gpt-4o/ },
      chat('x', 'stop', 'llama-3'),
      /answered as model "llama-3".*\/\^gpt-4o\//,
    ],
    ['the name it was asked by', { model: /^gpt-4o-2024/ }, chat('x', 'stop', 'gpt-4o'), undefined],
    ['a completion of another model', { model: /^gpt/ }, completion('x'), /answered as model "m"/],
    ['the expected size', { dimensions: 3 }, vector(3), undefined],
    ['another size', { dimensions: 3 }, vector(4), /answered with 4 dimensions.* is 3/],
    ['an answer without a size', { dimensions: 3 }, chat('x'), undefined],
    ['a session', { model: /^gpt/, dimensions: 3 }, undefined, undefined],
  ]
  for (const [name, expect, value, words] of table)
    test(name, () => {
      const flaw = flawOf(expecting(expect), 'gpt-4o', value)
      if (words === undefined) assert.equal(flaw, undefined)
      else assert.match(String(flaw), words)
    })

  test('of a long foreign name no more is repeated than is needed', () => {
    const flaw = flawOf(expecting({ model: /^gpt/ }), 'gpt-4o', chat('x', 'stop', 'y'.repeat(10_000)))
    assert.ok(String(flaw).length < 350)
  })
})

describe('the answer to a golden question', () => {
  const question = questionFor(makeDeployment(), 'chat')
  assert.ok(question !== undefined)
  const table: readonly (readonly [string, Answered, boolean])[] = [
    ['right', chat('42'), true],
    ['right with words around it', chat('17 + 25 = **42**.'), true],
    ['right in parts', chat([{ type: 'text', text: '42' }]), true],
    ['wrong', chat('43'), false],
    ['wrong though the digits are in it', chat('1420'), false],
    ['nonsense', chat('!!!!!!!!!!'), false],
    ['no words at all', chat(null), false],
    ['cut short: not wrong', chat('The sum of', 'length'), true],
    ['filtered: not wrong', chat('', 'content_filter'), true],
    ['a right completion', completion(' 42'), true],
    ['a wrong completion', completion(' 7'), false],
  ]
  for (const [name, value, right] of table)
    test(name, () => {
      assert.equal(isRight(question, value), right)
    })
})

test('the config may ask its own question', () => {
  const golden = { prompt: 'Who are you?', answer: /bot/ }
  assert.deepEqual(questionFor(expecting({ golden }), 'chat'), golden)
  assert.equal(questionFor(expecting({ golden }), 'embedding'), undefined)
})

test('a golden probe asks the question, with room for the answer, and nothing else', () => {
  const deployment = makeDeployment({
    probe: makeProbeSettings({ params: { messages: [{ role: 'user', content: 'hi' }] } }),
  })
  const inputs = { isWildcard: false, learned: NOTHING_LEARNED, settings: DEFAULT_HEALTH_SETTINGS }
  const question = { prompt: 'Q', answer: /A/ }
  const planned = (mode: 'chat' | 'completion', knownModel: string) =>
    planProbe(deployment, { ...inputs, mode, knownModel, question }).probe
  const messages = [{ role: 'user', content: 'Q' }]
  assert.deepEqual(planned('chat', 'gpt-4o'), { mode: 'chat', request: { messages, max_tokens: 64 } })
  assert.deepEqual(planned('chat', 'gpt-5'), {
    mode: 'chat',
    request: { messages, max_completion_tokens: 512 },
  })
  const { request } = { request: {}, ...planned('completion', 'davinci-002') }
  assert.equal(Reflect.get(request, 'prompt'), 'Q')
})

test('a golden answer costs as much more as it may be longer', () => {
  assert.deepEqual(
    [goldenTimes('chat', 'gpt-4o'), goldenTimes('chat', 'gpt-5'), goldenTimes('embedding', 'e')],
    [4, 32, 1],
  )
})
