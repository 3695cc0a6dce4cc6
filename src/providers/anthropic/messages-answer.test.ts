import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { JsonObject } from '../../core/json.ts'
import type { ChatChunk } from '../../core/mode.ts'
import { answerOf } from '../adapter.contract.ts'
import type { Target } from '../adapter.ts'
import { anthropicChat } from './chat.ts'
import { fromMessagesAnswer } from './messages-answer.ts'
import { openMessagesEvents } from './messages-events.ts'

const TARGET: Target = { provider: 'anthropic', model: 'claude', base: 'http://h', bodyDefaults: {} }

const CITATION = {
  type: 'web_search_result_location',
  url: 'https://p.test/',
  title: 'Ping',
  encrypted_index: 'E',
  cited_text: 'pöng',
}
const PLACE = { type: 'page_location', document_index: 0, start_page_number: 1, end_page_number: 2 }
const SEARCH = { type: 'server_tool_use', id: 'srv_1', name: 'web_search', input: { query: 'ping' } }
const FOUND = { type: 'web_search_tool_result', tool_use_id: 'srv_1', content: [] }
const THOUGHT = { type: 'thinking', thinking: 'They say ping.', signature: 'sig' }
const HIDDEN = { type: 'redacted_thinking', data: 'EmwK' }

/** Written, not recorded, after https://platform.claude.com/docs/en/api/messages/create, read 2026-11-27. */
const MESSAGE: JsonObject = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5-20250929',
  content: [
    THOUGHT,
    HIDDEN,
    SEARCH,
    FOUND,
    { type: 'text', text: 'It is ' },
    { type: 'text', text: 'pöng', citations: [CITATION, PLACE] },
    { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Paris' } },
    { type: 'tool_use', id: 'toolu_2', name: 'time', input: {} },
  ],
  stop_reason: 'tool_use',
  stop_sequence: null,
  usage: { input_tokens: 5, output_tokens: 9, output_tokens_details: { thinking_tokens: 7 } },
}

const SAID = {
  role: 'assistant',
  content: 'It is pöng',
  refusal: null,
  reasoning_content: 'They say ping.',
  thinking_blocks: [THOUGHT, HIDDEN],
  tool_calls: [
    { id: 'toolu_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } },
    { id: 'toolu_2', type: 'function', function: { name: 'time', arguments: '{}' } },
  ],
  annotations: [
    {
      type: 'url_citation',
      url_citation: { url: 'https://p.test/', title: 'Ping', start_index: 6, end_index: 10 },
    },
    { type: 'file_citation', file_citation: { ...PLACE, start_index: 6, end_index: 10 } },
  ],
  provider_specific_fields: { blocks: [SEARCH, FOUND] },
}
const USAGE = {
  prompt_tokens: 5,
  completion_tokens: 9,
  total_tokens: 14,
  prompt_tokens_details: { cached_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 7 },
  cache_read_input_tokens: 0,
  cache_creation_input_tokens: 0,
}

test("a message becomes OpenAI's, and nothing of it is lost", () => {
  const answer = { ...answerOf(MESSAGE), headers: { date: 'Fri, 27 Nov 2026 00:00:00 GMT' } }
  assert.deepEqual(anthropicChat.decode(answer, TARGET), {
    id: 'msg_1',
    object: 'chat.completion',
    created: 1_795_737_600,
    model: 'claude-sonnet-4-5-20250929',
    choices: [{ index: 0, message: SAID, logprobs: null, finish_reason: 'tool_calls' }],
    usage: USAGE,
  })
})

const ENDINGS: readonly (readonly [JsonObject, JsonObject])[] = [
  [{ stop_reason: 'end_turn' }, { finish_reason: 'stop' }],
  [{ stop_reason: 'pause_turn' }, { finish_reason: 'stop' }],
  [
    { stop_reason: 'stop_sequence', stop_sequence: 'x' },
    { finish_reason: 'stop', stop_reason: 'x' },
  ],
  [{ stop_reason: 'max_tokens' }, { finish_reason: 'length' }],
  [{ stop_reason: 'model_context_window_exceeded' }, { finish_reason: 'length' }],
  [{ stop_reason: 'compaction' }, { finish_reason: 'compaction' }],
  [{ stop_reason: null }, { finish_reason: null }],
]

for (const [end, finish] of ENDINGS) {
  test(`${JSON.stringify(end)} is ${JSON.stringify(finish)}`, () => {
    const [choice] = fromMessagesAnswer({ ...MESSAGE, content: [], ...end }, TARGET).choices
    const message = { role: 'assistant', content: '', refusal: null }
    assert.deepEqual(choice, { index: 0, message, logprobs: null, ...finish })
  })
}

test('an answer that was given by a tool is the text', () => {
  const call = { type: 'tool_use', id: 'toolu_1', name: 'json_tool_call', input: { a: 1 } }
  const [choice] = fromMessagesAnswer({ ...MESSAGE, content: [call] }, TARGET).choices
  const message = { role: 'assistant', content: '{"a":1}', refusal: null }
  assert.deepEqual(choice, { index: 0, message, logprobs: null, finish_reason: 'stop' })
  const chunks = all([
    ...block(0, { ...call, input: {} }, ...input('', '{"a"', ':1}')),
    { type: 'message_delta', delta: { stop_reason: 'tool_use' } },
    { type: 'message_stop' },
  ])
  assert.deepEqual(deltas(chunks), [{ content: '{"a"' }, { content: ':1}' }, {}])
  assert.equal(chunks.at(-1)?.choices[0]?.['finish_reason'], 'stop')
})

test('a refusal says why', () => {
  const refused = {
    stop_reason: 'refusal',
    stop_details: { type: 'refusal', explanation: null, category: 'bio' },
  }
  const [choice] = fromMessagesAnswer({ ...MESSAGE, content: [], ...refused }, TARGET).choices
  assert.equal(choice?.finish_reason, 'content_filter')
  assert.equal(choice.message['refusal'], 'bio')
})

/** Events: https://platform.claude.com/docs/en/build-with-claude/streaming. */
const block = (
  index: number,
  content_block: JsonObject,
  ...deltas: readonly JsonObject[]
): readonly JsonObject[] => [
  { type: 'content_block_start', index, content_block },
  ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
  { type: 'content_block_stop', index },
]
const input = (...pieces: readonly string[]): readonly JsonObject[] =>
  pieces.map((partial_json) => ({ type: 'input_json_delta', partial_json }))
const EVENTS: readonly JsonObject[] = [
  {
    type: 'message_start',
    message: { ...MESSAGE, content: [], stop_reason: null, usage: { input_tokens: 5, output_tokens: 1 } },
  },
  { type: 'ping' },
  ...block(
    0,
    { type: 'thinking', thinking: '', signature: '' },
    { type: 'thinking_delta', thinking: 'They say ' },
    { type: 'thinking_delta', thinking: 'ping.' },
    { type: 'signature_delta', signature: 'sig' },
  ),
  ...block(1, HIDDEN),
  ...block(2, { ...SEARCH, input: {} }, ...input('', '{"query":', '"ping"}')),
  ...block(3, FOUND),
  ...block(4, { type: 'text', text: '' }, { type: 'text_delta', text: 'It is ' }),
  { type: 'an_event_of_tomorrow' },
  ...block(
    5,
    { type: 'text', text: '' },
    { type: 'citations_delta', citation: CITATION },
    { type: 'text_delta', text: 'pö' },
    { type: 'text_delta', text: 'ng' },
    { type: 'citations_delta', citation: PLACE },
  ),
  ...block(
    6,
    { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} },
    ...input('', '{"city":', '"Paris"}'),
  ),
  ...block(7, { type: 'tool_use', id: 'toolu_2', name: 'time', input: {} }, ...input('')),
  {
    type: 'message_delta',
    delta: { stop_reason: 'tool_use', stop_sequence: null },
    usage: { input_tokens: null, output_tokens: 9, output_tokens_details: { thinking_tokens: 7 } },
  },
  { type: 'message_stop' },
]
const STREAM = EVENTS.map(
  (event) => `event: ${JSON.stringify(event['type']).slice(1, -1)}\ndata: ${JSON.stringify(event)}\n\n`,
).join('')

const all = (events: readonly JsonObject[]): readonly ChatChunk[] => {
  const decoder = openMessagesEvents(TARGET)
  return [...events.flatMap((event) => decoder.push(event)), ...decoder.end()]
}
const deltas = (chunks: readonly ChatChunk[]): readonly unknown[] =>
  chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta))

test("a stream becomes OpenAI's chunks, the usage last", () => {
  const chunks = all(EVENTS)
  const calls = (call: JsonObject): JsonObject => ({ tool_calls: [call] })
  assert.deepEqual(deltas(chunks), [
    { role: 'assistant', content: '' },
    { reasoning_content: 'They say ' },
    { reasoning_content: 'ping.' },
    { thinking_blocks: [THOUGHT] },
    { thinking_blocks: [HIDDEN] },
    { provider_specific_fields: { blocks: [SEARCH] } },
    { provider_specific_fields: { blocks: [FOUND] } },
    { content: 'It is ' },
    { content: 'pö' },
    { content: 'ng' },
    { annotations: SAID.annotations },
    calls({ index: 0, id: 'toolu_1', type: 'function', function: { name: 'weather', arguments: '' } }),
    calls({ index: 0, function: { arguments: '{"city":' } }),
    calls({ index: 0, function: { arguments: '"Paris"}' } }),
    calls({ index: 1, id: 'toolu_2', type: 'function', function: { name: 'time', arguments: '' } }),
    calls({ index: 1, function: { arguments: '{}' } }),
    {},
  ])
  assert.equal(chunks.at(-2)?.choices[0]?.['finish_reason'], 'tool_calls')
  assert.deepEqual(chunks.at(-1), {
    id: 'msg_1',
    object: 'chat.completion.chunk',
    created: 0,
    model: 'claude-sonnet-4-5-20250929',
    choices: [],
    usage: USAGE,
  })
})

test('however the network cuts a stream, its chunks are the same', () => {
  const bytes = Buffer.from(STREAM)
  const whole = all(EVENTS)
  fc.assert(
    fc.property(fc.array(fc.nat({ max: bytes.length }), { maxLength: 40 }), (cuts) => {
      const decoder = anthropicChat.openStream?.(TARGET)
      assert.ok(decoder !== undefined)
      const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
      const chunks = places.slice(1).flatMap((end, at) => decoder.push(bytes.subarray(places[at], end)))
      assert.deepEqual([...chunks, ...decoder.end()], whole)
    }),
  )
})

test('a stream that ends anywhere before its last event is cut', () => {
  for (let length = 0; length < EVENTS.length; length += 1) {
    assert.throws(() => all(EVENTS.slice(0, length)), { kind: 'cut' })
  }
})

test('a streamed refusal and a stop sequence are told with the end', () => {
  const end = (delta: JsonObject): unknown => {
    const chunks = all([{ type: 'message_delta', delta }, { type: 'message_stop' }])
    return chunks[0]?.choices[0]
  }
  const explanation = 'I cannot.'
  assert.deepEqual(end({ stop_reason: 'refusal', stop_details: { type: 'refusal', explanation } }), {
    index: 0,
    delta: { refusal: 'I cannot.' },
    finish_reason: 'content_filter',
  })
  assert.deepEqual(end({ stop_reason: 'stop_sequence', stop_sequence: 'ng' }), {
    index: 0,
    delta: {},
    finish_reason: 'stop',
    stop_reason: 'ng',
  })
})

const ERRORS: readonly (readonly [string, string, string])[] = [
  ['overloaded_error', 'Overloaded', 'overloaded'],
  ['rate_limit_error', 'slow down', 'rate_limited'],
  ['authentication_error', 'invalid x-api-key', 'auth'],
  ['invalid_request_error', 'Your credit balance is too low to access the Anthropic API.', 'quota'],
  ['timeout_error', 'too long', 'timeout'],
  ['api_error', 'Internal server error', 'server_error'],
  ['an_error_of_tomorrow', 'who knows', 'server_error'],
]

for (const [type, message, kind] of ERRORS) {
  test(`an event with ${type} is ${kind}, and so is a 200 with it`, () => {
    const event = { type: 'error', error: { type, message } }
    assert.throws(() => openMessagesEvents(TARGET).push(event), { kind })
    assert.throws(() => anthropicChat.decode(answerOf(event), TARGET), { kind })
  })
}

test('a stream of endless thoughts, or of blocks that never end, is given up', () => {
  const thinking = 'x'.repeat(1024 * 1024)
  const endless = openMessagesEvents(TARGET)
  endless.push({ type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '' } })
  assert.throws(
    () => {
      for (let times = 0; times < 100; times += 1)
        endless.push({ type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking } })
    },
    { kind: 'wrong_shape' },
  )
  const open = openMessagesEvents(TARGET)
  assert.throws(
    () => {
      for (let index = 0; index < 2_000; index += 1)
        open.push({ type: 'content_block_start', index, content_block: { type: 'text', text: '' } })
    },
    { kind: 'wrong_shape' },
  )
})

test("what is no event of Anthropic's is said to be none", () => {
  const decoder = anthropicChat.openStream?.(TARGET)
  assert.throws(() => decoder?.push(Buffer.from('data: {"choices":[]}\n\n')), { kind: 'wrong_shape' })
  assert.throws(() => decoder?.push(Buffer.from('data: [1]\n\n')), { kind: 'wrong_shape' })
})
