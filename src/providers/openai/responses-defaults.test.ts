import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../core/json.ts'
import { responsesDefaults } from './responses-defaults.ts'

const CASES: readonly (readonly [name: string, defaults: JsonObject, told: JsonObject])[] = [
  [
    'its own words as they are',
    { max_output_tokens: 9, reasoning: { effort: 'low' }, store: false },
    { max_output_tokens: 9, reasoning: { effort: 'low' }, store: false },
  ],
  ['a bound by either name', { max_tokens: 9 }, { max_output_tokens: 9 }],
  ['the newer of two bounds', { max_tokens: 9, max_completion_tokens: 8 }, { max_output_tokens: 8 }],
  [
    'its own before a chat’s',
    { max_tokens: 9, max_output_tokens: 7, reasoning_effort: 'low', reasoning: { effort: 'high' } },
    { max_output_tokens: 7, reasoning: { effort: 'high' } },
  ],
  ['an effort', { reasoning_effort: 'low' }, { reasoning: { effort: 'low' } }],
  [
    'a form of answers, and how long they are',
    { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: {} } }, verbosity: 'low' },
    { text: { format: { type: 'json_schema', name: 'a', schema: {} }, verbosity: 'low' } },
  ],
  [
    'tools without the level that a chat has',
    {
      tools: [{ type: 'function', function: { name: 'f', parameters: {} } }, { type: 'web_search' }],
      tool_choice: { type: 'function', function: { name: 'f' } },
    },
    {
      tools: [{ type: 'function', name: 'f', parameters: {} }, { type: 'web_search' }],
      tool_choice: { type: 'function', name: 'f' },
    },
  ],
  ['a choice in a word', { tool_choice: 'required' }, { tool_choice: 'required' }],
  [
    'nothing that it does not know, or that only a client settles',
    { seed: 1, stop: 'x', top_k: 3, model: 'm', stream: true, background: true, prompt: 'p', user: null },
    {},
  ],
]

for (const [name, defaults, told] of CASES)
  test(`of a deployment’s defaults the Responses API is told: ${name}`, () =>
    assert.deepEqual(responsesDefaults(defaults), told))
