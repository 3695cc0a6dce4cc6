import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../core/json.ts'
import { scanObject } from '../../core/json-spans.ts'
import { filledAndRefitted, toldDefaults } from './surface-defaults.ts'

const PING = [{ role: 'user', content: 'ping' }]
const SONNET = 'claude-sonnet-4-5'
const OPUS = 'claude-opus-4-8'

function told(defaults: JsonObject, asked: JsonObject, model = SONNET): unknown {
  const body = Buffer.from(JSON.stringify({ model: 'm', max_tokens: 50, messages: PING, ...asked }))
  const target = { provider: 'anthropic', model, base: 'http://up', bodyDefaults: defaults }
  const texts = toldDefaults(target, body, scanObject(body)) ?? {}
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, JSON.parse(text)]))
}

const THINKING = { type: 'enabled', budget_tokens: 2_000 }
const TOOL = { name: 'weather', input_schema: { type: 'object', properties: {} } }
const SCHEMA = {
  type: 'json_schema',
  json_schema: {
    name: 'a',
    schema: { type: 'object', properties: {}, required: [], additionalProperties: false },
  },
}

const CASES: readonly (readonly [
  name: string,
  defaults: JsonObject,
  asked: JsonObject,
  told: JsonObject,
  model?: string,
])[] = [
  [
    'words of Anthropic’s as they are',
    { temperature: 0.5, stop_sequences: ['x'], metadata: { user_id: 'u', trace: 't' }, mcp_servers: [] },
    {},
    { temperature: 0.5, stop_sequences: ['x'], metadata: { user_id: 'u' }, mcp_servers: [] },
  ],
  [
    'words of OpenAI’s in Anthropic’s',
    { stop: 'x', user: 'u', tools: [{ type: 'function', function: { name: 'weather' } }] },
    {},
    { stop_sequences: ['x'], metadata: { user_id: 'u' }, tools: [TOOL] },
  ],
  ['a system', { system: 'Be brief.' }, {}, { system: [{ type: 'text', text: 'Be brief.' }] }],
  [
    'nothing that the request says itself',
    { system: 'Be brief.', temperature: 0.5, tools: [TOOL], stop: 'x' },
    { system: 'Be long.', temperature: null, tools: [{ name: 'time' }], stop_sequences: [] },
    {},
  ],
  ['a bound where the request has none', { max_completion_tokens: 9 }, { max_tokens: null }, {}],
  [
    'an effort as a budget',
    { reasoning_effort: 'low' },
    { max_tokens: 4_000 },
    { thinking: { type: 'enabled', budget_tokens: 1_024 } },
  ],
  [
    'an effort where the model knows it',
    { reasoning_effort: 'low' },
    {},
    { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'low' } },
    OPUS,
  ],
  [
    'no effort beside the request’s thoughts',
    { reasoning_effort: 'low' },
    { thinking: { type: 'disabled' } },
    {},
  ],
  ['thoughts with room for them', { thinking: THINKING }, { max_tokens: 4_000 }, { thinking: THINKING }],
  ['no thoughts without room', { thinking: THINKING }, { max_tokens: 2_000 }, {}],
  [
    'no thoughts beside a forced call',
    { thinking: THINKING },
    { max_tokens: 4_000, tools: [TOOL], tool_choice: { type: 'any' } },
    {},
  ],
  ['no thoughts beside a temperature', { thinking: THINKING }, { max_tokens: 4_000, temperature: 0 }, {}],
  [
    'no thoughts in the middle of calls without',
    { thinking: THINKING },
    {
      max_tokens: 4_000,
      messages: [
        ...PING,
        { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'weather', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: 'sun' }] },
      ],
    },
    {},
  ],
  ['no temperature beside thoughts', { temperature: 0 }, { max_tokens: 4_000, thinking: THINKING }, {}],
  ['no temperature to who refuses it', { temperature: 0 }, {}, {}, OPUS],
  [
    'no forced call beside thoughts',
    { tools: [TOOL], tool_choice: 'required' },
    { max_tokens: 4_000, thinking: THINKING },
    { tools: [TOOL] },
  ],
  [
    'one call at a time, of the request’s tools',
    { parallel_tool_calls: false },
    { tools: [TOOL] },
    { tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
  ],
  [
    'a form of answers where the model knows it',
    { response_format: SCHEMA },
    {},
    { output_config: { format: { type: 'json_schema', schema: SCHEMA.json_schema.schema } } },
  ],
  ['no form that would be a tool', { response_format: SCHEMA }, {}, {}, 'claude-3-7-sonnet-20250219'],
  [
    'nothing that Claude has no word for',
    { seed: 1, n: 2, logit_bias: {}, stream: true, anthropic_beta: ['b'] },
    {},
    {},
  ],
  ['what nobody knows, as in chats', { of_tomorrow: 1 }, {}, { of_tomorrow: 1 }],
]

for (const [name, defaults, asked, expected, model] of CASES)
  test(`of a deployment’s defaults a request in Anthropic’s words is told: ${name}`, () =>
    assert.deepEqual(told(defaults, asked, model), expected))

test('a body stays the same one where there is nothing to fill in', () => {
  const body = Buffer.from(JSON.stringify({ max_tokens: 9, messages: PING }))
  const target = { provider: 'anthropic', model: SONNET, base: 'http://up', bodyDefaults: {} }
  assert.equal(filledAndRefitted(target, body, scanObject(body)), undefined)
  const settled = { ...target, bodyDefaults: { max_tokens: 5 } }
  assert.equal(filledAndRefitted(settled, body, scanObject(body)), undefined)
})

test('a bound is filled in where the deployment has one, and none is made up', () => {
  const body = Buffer.from(JSON.stringify({ messages: PING }))
  const target = { provider: 'anthropic', model: SONNET, base: 'http://up' }
  const of = (bodyDefaults: JsonObject): unknown =>
    toldDefaults({ ...target, bodyDefaults }, body, scanObject(body))
  assert.deepEqual(of({ max_completion_tokens: 7 }), { max_tokens: '7' })
  assert.deepEqual(of({ temperature: 0.5 }), { temperature: '0.5' })
})
