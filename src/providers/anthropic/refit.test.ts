import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scanObject } from '../../core/json-spans.ts'
import type { JsonObject } from '../../core/json.ts'
import { refitted } from './refit.ts'

const MESSAGES = [{ role: 'user', content: 'ping' }]
const ADAPTIVE = { type: 'adaptive' } as const
const BUDGET = { type: 'enabled', budget_tokens: 12_000 } as const
const RESULT = [
  ...MESSAGES,
  { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'f', input: {} }] },
  { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: 'rain' }] },
]

function fitted(model: string, more: JsonObject): unknown {
  const body = Buffer.from(
    JSON.stringify({ messages: MESSAGES, max_tokens: 20_000, ...more, top: 'as it is' }),
  )
  const anew = refitted({ provider: 'anthropic', model, base: '', bodyDefaults: {} }, body, scanObject(body))
  if (anew === undefined) return undefined
  const { messages: _, max_tokens: __, top, ...rest } = JSON.parse(anew.body.toString())
  assert.equal(top, 'as it is')
  return { ...rest, dropped: anew.dropped }
}

/** A model, what it is asked, and what that becomes. */
const CASES: readonly (readonly [model: string, asked: JsonObject, became: JsonObject])[] = [
  [
    'claude-haiku-4-5',
    { thinking: ADAPTIVE },
    { thinking: { type: 'enabled', budget_tokens: 4_096 }, dropped: [] },
  ],
  [
    'claude-haiku-4-5',
    { thinking: ADAPTIVE, output_config: { effort: 'max' } },
    { thinking: { type: 'enabled', budget_tokens: 16_384 }, dropped: [] },
  ],
  [
    'claude-opus-4-5',
    { thinking: ADAPTIVE, output_config: { effort: 'low', format: { type: 'json_schema' } } },
    {
      thinking: { type: 'enabled', budget_tokens: 1_024 },
      output_config: { effort: 'low', format: { type: 'json_schema' } },
      dropped: [],
    },
  ],
  [
    'claude-haiku-4-5',
    { thinking: ADAPTIVE, temperature: 0, top_p: 0.99, top_k: 5 },
    { temperature: 0, top_p: 0.99, top_k: 5, dropped: ['thinking.type'] },
  ],
  // Where it cannot think within a budget it does not think, as it may see fit.
  ['claude-haiku-4-5', { thinking: ADAPTIVE, max_tokens: 16 }, { dropped: ['thinking.type'] }],
  ['claude-haiku-4-5', { thinking: ADAPTIVE, messages: RESULT }, { dropped: ['thinking.type'] }],
  [
    'claude-haiku-4-5',
    { thinking: ADAPTIVE, tool_choice: { type: 'any' } },
    { tool_choice: { type: 'any' }, dropped: ['thinking.type'] },
  ],
  [
    'claude-haiku-4-5',
    { thinking: ADAPTIVE, temperature: 1, output_config: { effort: 'max' }, max_tokens: 9 },
    { temperature: 1, dropped: ['thinking.type'] },
  ],
  [
    'claude-opus-5',
    { thinking: BUDGET },
    { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'high' }, dropped: [] },
  ],
  [
    'claude-opus-5',
    { thinking: { ...BUDGET, budget_tokens: 2_000, display: 'omitted' }, output_config: { effort: 'max' } },
    { thinking: { type: 'adaptive', display: 'omitted' }, output_config: { effort: 'max' }, dropped: [] },
  ],
  [
    'claude-opus-5',
    { thinking: BUDGET, temperature: 1, top_p: 0.99 },
    {
      thinking: { type: 'adaptive', display: 'summarized' },
      output_config: { effort: 'high' },
      dropped: ['top_p'],
    },
  ],
]

for (const [model, asked, became] of CASES)
  test(`${model} is asked ${JSON.stringify(asked)} in the form that it knows`, () =>
    assert.deepEqual(fitted(model, asked), became))

test('what a model knows, and what nobody thinks of, goes as it came', () => {
  for (const [model, asked] of [
    ['claude-haiku-4-5', { thinking: BUDGET }],
    ['claude-haiku-4-5', { temperature: 0 }],
    ['claude-opus-4-6', { thinking: BUDGET }],
    ['claude-opus-4-6', { thinking: ADAPTIVE }],
    ['claude-opus-5', { thinking: ADAPTIVE }],
    ['claude-opus-5', { thinking: { type: 'disabled' } }],
    ['claude-3-5-sonnet-20241022', { thinking: ADAPTIVE }],
    ['my-alias', { thinking: BUDGET }],
  ] as const)
    assert.equal(fitted(model, asked), undefined, `${model} ${JSON.stringify(asked)}`)
})
