import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isJsonObject } from '../core/json.ts'
import type { Target } from './adapter.ts'
import { anthropic } from './anthropic/adapter.ts'
import { bedrock } from './bedrock/adapter.ts'
import { cohere } from './cohere/adapter.ts'
import { databricks } from './databricks/adapter.ts'
import { earlierWords } from './earlier-words.ts'
import { gemini } from './gemini/adapter.ts'
import { mistral } from './mistral/adapter.ts'
import { ollama } from './ollama/adapter.ts'
import { replicate } from './replicate/adapter.ts'
import { watsonx } from './watsonx/adapter.ts'

const ADAPTERS = [anthropic, bedrock, cohere, databricks, gemini, mistral, ollama, replicate, watsonx]

const AUDIO = { id: 'audio_1', data: 'UklGRg==', expires_at: 1, transcript: 'Not today.' } as const

/** What an assistant said in other members than its content, all of it "Not today." */
const SAID = [
  { content: null, refusal: 'Not today.' },
  { content: '', refusal: 'Not today.' },
  { refusal: 'Not today.' },
  { content: [{ type: 'refusal', refusal: 'Not today.' }] },
  { content: null, refusal: null, audio: AUDIO },
] as const

for (const { id, codecs } of ADAPTERS) {
  const { chat } = codecs
  assert.ok(chat !== 'unsupported')
  const target: Target = {
    provider: id,
    model: 'the-model',
    base: 'https://api.test',
    region: 'us-east-1',
    bodyDefaults: id === 'watsonx' ? { project_id: 'p' } : {},
  }
  const sent = (said: object): string => {
    const messages = [
      { role: 'user', content: 'Sing.' },
      { role: 'assistant', ...said },
      { role: 'user', content: 'Please.' },
    ]
    const { body } = chat.encode({ messages }, target)
    return Buffer.from(body ?? '').toString()
  }
  test(`${id} is told why an assistant refused, and what it spoke`, () => {
    for (const said of SAID) {
      const text = sent(said)
      assert.match(text, /Not today\./, JSON.stringify(said))
      assert.doesNotMatch(text, /"(refusal|audio)"/, JSON.stringify(said))
    }
  })
  // watsonx takes names as they are.
  if (id !== 'watsonx')
    test(`of who speaks under which name ${id} is not told, and that is named`, () => {
      const tool = { role: 'tool', tool_call_id: 'c', name: 'f', content: 'x' }
      const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }
      const called = { role: 'assistant', content: null, tool_calls: [call] }
      const tools = id === 'replicate' ? [] : [called, tool]
      const lost = (name: object): readonly string[] =>
        chat.encode({ messages: [{ role: 'user', content: 'a', ...name }, ...tools] }, target).dropped ?? []
      assert.deepEqual(lost({ name: 'ann' }), ['messages[].name'])
      assert.deepEqual(lost({}), [])
    })
  test(`${id} is not told of sound that another has`, () => {
    assert.throws(() => sent({ content: null, audio: { id: 'audio_1' } }), {
      kind: 'bad_request',
      param: 'messages',
      source: 'client',
    })
    assert.ok(isJsonObject(JSON.parse(sent({ content: 'La.', audio: { id: 'audio_1' } }))))
  })
}

test('an assistant that only called tools said nothing', () => {
  const calls = [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }]
  assert.equal(earlierWords({ role: 'assistant', content: null, audio: null, tool_calls: calls }), null)
  assert.equal(earlierWords({ role: 'assistant', tool_calls: calls }), undefined)
})
