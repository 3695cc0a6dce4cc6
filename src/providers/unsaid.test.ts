import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../core/json.ts'
import { OPENAI_ALONE, sayable } from './unsaid.ts'

const LACKS = new Set([
  ...OPENAI_ALONE,
  'n',
  'logit_bias',
  'parallel_tool_calls',
  'top_logprobs',
  'prediction',
  'thinking',
])

/** A member that a provider lacks, its value, and whether its loss is to be told. */
const MEMBERS: readonly (readonly [string, Json, boolean])[] = [
  ['n', 1, false],
  ['n', 2, true],
  ['user', 'u', false],
  ['store', true, false],
  ['stream_options', { include_usage: true }, false],
  ['service_tier', 'flex', false],
  ['prediction', { type: 'content', content: 'x' }, false],
  ['parallel_tool_calls', true, false],
  ['parallel_tool_calls', false, true],
  ['logit_bias', {}, false],
  ['logit_bias', { 5: 1 }, true],
  ['logit_bias', null, false],
  ['top_logprobs', 0, false],
  ['top_logprobs', 3, true],
  ['modalities', ['text'], false],
  ['modalities', ['text', 'audio'], true],
  ['verbosity', 'medium', false],
  ['verbosity', 'low', true],
  ['web_search_options', {}, true],
  ['functions', [{ name: 'f' }], true],
  ['functions', [], false],
  ['function_call', 'none', false],
  ['prompt_cache_options', { mode: 'explicit' }, false],
  ['thinking', { type: 'enabled', budget_tokens: 1024 }, true],
  ['thinking', { type: 'disabled' }, false],
]

for (const [name, value, isTold] of MEMBERS) {
  test(`${name} ${JSON.stringify(value)} is left out ${isTold ? 'and named' : 'without a word'}`, () => {
    assert.deepEqual(sayable({ messages: [], [name]: value, unknown: 1 }, LACKS), {
      said: { messages: [], unknown: 1 },
      dropped: isTold ? [name] : [],
    })
  })
}

test('a body in which all is known is passed on as it is', () => {
  const body = { messages: [], temperature: 0 }
  assert.equal(sayable(body, LACKS).said, body)
})
