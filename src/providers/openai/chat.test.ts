import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scanObject } from '../../core/json-spans.ts'
import type { JsonObject } from '../../core/json.ts'
import { answerOf } from '../adapter.contract.ts'
import { openAi } from './adapter.ts'
import { decodeChat } from './chat.ts'

const TARGET = { provider: 'openai', model: 'gpt-4o', base: 'http://h/v1', bodyDefaults: {} }
const choice = (message: JsonObject, finish: string | null = 'stop'): JsonObject => ({
  choices: [{ index: 0, message, finish_reason: finish }],
})

const ALIVE: readonly (readonly [string, JsonObject | string])[] = [
  ['a reply cut by length before its first word', choice({ role: 'assistant', content: '' }, 'length')],
  ['a reply without content, cut by length', choice({ role: 'assistant' }, 'length')],
  ['a filtered reply', choice({ role: 'assistant', content: null }, 'content_filter')],
  ['a refusal', choice({ role: 'assistant', content: null, refusal: "I can't help with that." })],
  ['a tool call', choice({ role: 'assistant', content: null, tool_calls: [{ id: 't' }] }, 'tool_calls')],
  ['thoughts without words', choice({ role: 'assistant', content: null, reasoning_content: 'hm' })],
  ['content as a list of parts', choice({ role: 'assistant', content: [{ type: 'text', text: 'pong' }] })],
  ['a null error beside a good answer', { ...choice({ content: 'pong' }), error: null }],
  ['keep-alive blank lines before the answer', `\n\n\n${JSON.stringify(choice({ content: 'pong' }))}`],
  ['another model than asked for', { ...choice({ content: 'pong' }), model: 'gpt-4o-2024-08-06' }],
]

for (const [what, body] of ALIVE) {
  test(`${what} is an answer`, () => assert.equal(decodeChat(answerOf(body), TARGET).choices.length, 1))
}

test('an answer named text/plain is still read', () => {
  assert.equal(
    decodeChat(answerOf(JSON.stringify(choice({ content: 'pong' })), 'text/plain'), TARGET).model,
    'gpt-4o',
  )
})

const DEAD: readonly (readonly [string, JsonObject | string, string])[] = [
  ['a message that says nothing', choice({ role: 'assistant', content: '' }), 'empty'],
  ['no choices', { object: 'chat.completion', choices: [] }, 'wrong_shape'],
  ['choices without messages', { choices: [{ text: 'pong' }] }, 'wrong_shape'],
  ['choices that are no objects', { choices: ['pong'] }, 'wrong_shape'],
  ['an embedding', { object: 'list', data: [] }, 'wrong_shape'],
  [
    'an error inside a choice',
    { choices: [{ error: { code: 502, message: 'Provider returned error' }, message: { content: '' } }] },
    'server_error',
  ],
  [
    'an error that names its own status',
    { error: { code: 429, message: 'Rate limited upstream' } },
    'rate_limited',
  ],
  [
    'an error beside choices',
    { ...choice({ content: 'x' }), error: { message: 'half an answer' } },
    'server_error',
  ],
]

for (const [what, body, kind] of DEAD) {
  test(`${what} is ${kind}`, () => assert.throws(() => decodeChat(answerOf(body), TARGET), { kind }))
}

const INSIDE: readonly (readonly [JsonObject, string, number])[] = [
  [{ code: 'insufficient_quota', message: 'no credit' }, 'quota', 500],
  [{ code: 'invalid_api_key', type: 'invalid_request_error', message: 'wrong key' }, 'auth', 500],
  [{ code: 'rate_limit_exceeded', type: 'requests', message: 'slow down' }, 'rate_limited', 500],
  [{ type: 'rate_limit_error', message: 'slow down' }, 'rate_limited', 500],
  [{ type: 'overloaded_error', message: 'busy' }, 'overloaded', 500],
  [{ code: 'model_not_found', message: 'no such model' }, 'not_found', 500],
  [{ code: 429, message: 'slow down' }, 'rate_limited', 429],
  [{ code: '401', message: 'wrong key' }, 'auth', 401],
  [{ code: 408, message: 'too slow' }, 'timeout', 408],
  [{ message: 'You exceeded your current quota' }, 'server_error', 500],
]

for (const [error, kind, exceptionStatus] of INSIDE) {
  test(`inside a 200, ${JSON.stringify(error)} is ${kind} with the status ${exceptionStatus}`, () =>
    assert.throws(() => decodeChat(answerOf({ error }), TARGET), {
      kind,
      exceptionStatus,
      clientStatus: kind === 'timeout' ? 504 : exceptionStatus,
    }))
}

test('an error inside a 200 has the status 500, for the 200 says nothing', () => {
  const body = { error: { message: 'upstream says 500', type: 'server_error', param: null, code: null } }
  assert.throws(() => decodeChat(answerOf(body), TARGET), {
    exceptionStatus: 500,
    message: 'answered 200 with an error inside (server_error): upstream says 500',
  })
})

test('marks of caches stay behind at OpenAI’s own address alone, and other bodies pass as they are', () => {
  const { chat } = openAi.codecs
  assert.ok(chat !== 'unsupported' && chat.relay !== undefined)
  const mark = { cache_control: { type: 'ephemeral' } }
  const marked = { messages: [{ role: 'user', content: [{ type: 'text', text: 'ping', ...mark }] }] }
  const quoted = { messages: [{ role: 'user', content: 'what is "cache_control"?' }] }
  const takes = (base: string, body: object): unknown => {
    const bytes = Buffer.from(JSON.stringify(body))
    const target = { provider: 'openai', model: 'gpt-4o', base, bodyDefaults: {} }
    return chat.relay?.takes?.(target, bytes, scanObject(bytes))
  }
  assert.equal(takes('https://api.openai.com/v1', marked), false)
  assert.equal(takes('https://api.openai.com/v1', quoted), true)
  assert.equal(takes('https://gateway.test/v1', marked), true)
  const lacks = (base: string): unknown =>
    chat.lacksTopK?.({ provider: 'openai', model: 'gpt-4o', base, bodyDefaults: {} })
  const bases = [
    'https://api.openai.com/v1',
    'https://eu.api.openai.com/v1',
    'https://api.openai.com.gateway.test/v1',
  ]
  assert.deepEqual(bases.map(lacks), [true, true, false])
  const target = { provider: 'openai', model: 'gpt-4o', base: 'https://api.openai.com/v1', bodyDefaults: {} }
  const { body, dropped } = chat.encode({ ...marked, seed: 5 }, target)
  assert.deepEqual(JSON.parse(String(body)), {
    model: 'gpt-4o',
    messages: [{ role: 'user', content: [{ type: 'text', text: 'ping' }] }],
    seed: 5,
  })
  assert.deepEqual(dropped, ['messages[].content[].cache_control'])
})
