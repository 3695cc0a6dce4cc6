import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import { array, assert as assertProperty, nat, property } from 'fast-check'
import type { JsonObject } from '../../core/json.ts'
import type { ChatChunk } from '../../core/mode.ts'
import { answerOf } from '../adapter.contract.ts'
import type { Target } from '../adapter.ts'
import { bedrockChat } from './chat.ts'

const OLD = 'anthropic.claude-3-sonnet-20240229-v1:0'
const TARGET: Target = { provider: 'bedrock', model: OLD, base: 'https://bedrock.test', bodyDefaults: {} }

/** Written after the client of AWS, version 3.1164.0: `ConverseResponse`. */
function converse(content: readonly JsonObject[], more: JsonObject = {}): JsonObject {
  const usage = { inputTokens: 5, outputTokens: 2, totalTokens: 7 }
  return {
    output: { message: { role: 'assistant', content } },
    stopReason: 'end_turn',
    usage,
    metrics: { latencyMs: 1 },
    ...more,
  }
}

function read(body: JsonObject): {
  readonly message: unknown
  readonly finish: unknown
  readonly usage: unknown
} {
  const { choices, usage } = bedrockChat.decode(answerOf(body), TARGET)
  return { message: choices[0]?.message, finish: choices[0]?.finish_reason, usage }
}

test("an answer with thoughts, calls and a cache becomes OpenAI's", () => {
  const body = converse(
    [
      { reasoningContent: { reasoningText: { text: 'hm', signature: 'sig' } } },
      { reasoningContent: { redactedContent: 'cmVk' } },
      { text: 'Let me look.' },
      { toolUse: { toolUseId: 't1', name: 'f', input: { a: 1 } } },
      { toolUse: { toolUseId: 't2', name: 'g', input: {} } },
    ],
    {
      stopReason: 'tool_use',
      usage: {
        inputTokens: 5,
        outputTokens: 2,
        totalTokens: 110,
        cacheReadInputTokens: 100,
        cacheWriteInputTokens: 3,
      },
    },
  )
  assert.deepEqual(read(body), {
    message: {
      role: 'assistant',
      content: 'Let me look.',
      refusal: null,
      reasoning_content: 'hm',
      thinking_blocks: [
        { type: 'thinking', thinking: 'hm', signature: 'sig' },
        { type: 'redacted_thinking', data: 'cmVk' },
      ],
      tool_calls: [
        { id: 't1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } },
        { id: 't2', type: 'function', function: { name: 'g', arguments: '{}' } },
      ],
    },
    finish: 'tool_calls',
    usage: {
      prompt_tokens: 108,
      completion_tokens: 2,
      total_tokens: 110,
      prompt_tokens_details: { cached_tokens: 100, cache_creation_tokens: 3 },
    },
  })
})

test('citations of pages are annotations, at their place in the text', () => {
  const citations = [
    { title: 'T', location: { web: { url: 'https://a.test/' } } },
    { location: { documentPage: {} } },
  ]
  const { message } = read(
    converse([{ text: 'So: ' }, { citationsContent: { content: [{ text: 'rain' }], citations } }]),
  )
  assert.deepEqual(message, {
    role: 'assistant',
    content: 'So: rain',
    refusal: null,
    annotations: [
      {
        type: 'url_citation',
        url_citation: { url: 'https://a.test/', title: 'T', start_index: 4, end_index: 8 },
      },
    ],
  })
})

test('an answer through the tool made for it is text', () => {
  const body = converse([{ toolUse: { toolUseId: 't', name: 'json_tool_call', input: { answer: 'x' } } }], {
    stopReason: 'tool_use',
  })
  assert.deepEqual(read(body).message, { role: 'assistant', content: '{"answer":"x"}', refusal: null })
  assert.equal(read(body).finish, 'stop')
})

const FINISHES = [
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['content_filtered', 'content_filter'],
  ['guardrail_intervened', 'content_filter'],
] as const

for (const [stopReason, finish] of FINISHES) {
  test(`${stopReason} is ${finish}`, () =>
    assert.equal(read(converse([{ text: 'x' }], { stopReason })).finish, finish))
}

const FLAWED: readonly (readonly [string, JsonObject, string])[] = [
  [
    'a guardrail that keeps the request from the model',
    converse([{ text: 'Sorry.' }], {
      stopReason: 'guardrail_intervened',
      usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 },
    }),
    'content_policy',
  ],
  ['a message that says nothing', converse([]), 'empty'],
  ['nonsense of the model', converse([{ text: 'x' }], { stopReason: 'malformed_tool_use' }), 'server_error'],
  ["OpenAI's shape", { choices: [{ message: { content: 'x' } }] }, 'wrong_shape'],
  ['an error in disguise', { message: 'Internal server error' }, 'server_error'],
]

for (const [what, body, kind] of FLAWED) {
  test(`${what} is ${kind}`, () => assert.throws(() => read(body), { kind }))
}

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString()),
  (text) => Buffer.from(text),
)

function frame(headers: Readonly<Record<string, string>>, body: JsonObject): Buffer {
  const typed = Object.entries(headers).map(
    ([name, value]) => [name, { type: 'string' as const, value }] as const,
  )
  return Buffer.from(
    codec.encode({ headers: Object.fromEntries(typed), body: Buffer.from(JSON.stringify(body)) }),
  )
}

function event(kind: string, body: JsonObject): Buffer {
  return frame(
    { ':message-type': 'event', ':event-type': kind, ':content-type': 'application/json' },
    { p: 'abc', ...body },
  )
}

function delta(contentBlockIndex: number, part: JsonObject): Buffer {
  return event('contentBlockDelta', { contentBlockIndex, delta: part })
}

/** Written after the client of AWS, version 3.1164.0: `ConverseStreamOutput`. */
const STREAM = Buffer.concat([
  event('messageStart', { role: 'assistant' }),
  delta(0, { reasoningContent: { text: 'hm' } }),
  delta(0, { reasoningContent: { signature: 'sig' } }),
  event('contentBlockStop', { contentBlockIndex: 0 }),
  delta(1, { text: 'pö' }),
  event('contentBlockStop', { contentBlockIndex: 1 }),
  event('contentBlockStart', { contentBlockIndex: 2, start: { toolUse: { toolUseId: 't1', name: 'f' } } }),
  delta(2, { toolUse: { input: '{"a"' } }),
  delta(2, { toolUse: { input: ':1}' } }),
  event('contentBlockStop', { contentBlockIndex: 2 }),
  event('contentBlockStart', { contentBlockIndex: 3, start: { toolUse: { toolUseId: 't2', name: 'g' } } }),
  event('contentBlockStop', { contentBlockIndex: 3 }),
  event('messageStop', { stopReason: 'tool_use' }),
  event('metadata', {
    usage: { inputTokens: 5, outputTokens: 2, totalTokens: 7 },
    metrics: { latencyMs: 1 },
  }),
])

function call(index: number, more: JsonObject): JsonObject {
  return { tool_calls: [{ index, ...more }] }
}

const DELTAS: readonly JsonObject[] = [
  { role: 'assistant', content: '' },
  { reasoning_content: 'hm', thinking_blocks: [{ type: 'thinking', thinking: 'hm' }] },
  { thinking_blocks: [{ type: 'thinking', thinking: '', signature: 'sig' }] },
  { content: 'pö' },
  call(0, { id: 't1', type: 'function', function: { name: 'f', arguments: '' } }),
  call(0, { function: { arguments: '{"a"' } }),
  call(0, { function: { arguments: ':1}' } }),
  call(1, { id: 't2', type: 'function', function: { name: 'g', arguments: '' } }),
  call(1, { function: { arguments: '{}' } }),
]

function streamed(pieces: readonly Uint8Array[]): readonly ChatChunk[] {
  const decoder = bedrockChat.openStream?.(TARGET)
  assert.ok(decoder !== undefined)
  const chunks = pieces.flatMap((piece) => decoder.push(piece))
  return [...chunks, ...decoder.end()]
}

test("a stream becomes OpenAI's chunks however the network cuts it, the usage last", () => {
  const chunk = (choices: unknown, more: JsonObject = {}): unknown =>
    Object.assign({ id: '', object: 'chat.completion.chunk', created: 0, model: OLD, choices }, more)
  const expected = [
    ...DELTAS.map((one) => chunk([{ index: 0, delta: one, finish_reason: null }])),
    chunk([{ index: 0, delta: {}, finish_reason: 'tool_calls' }]),
    chunk([], { usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 } }),
  ]
  assertProperty(
    property(array(nat({ max: STREAM.length }), { maxLength: 30 }), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), STREAM.length]
      assert.deepEqual(streamed(places.slice(1).map((end, at) => STREAM.subarray(places[at], end))), expected)
    }),
  )
})

test('an answer through the tool made for it is streamed as text', () => {
  const chunks = streamed([
    event('messageStart', { role: 'assistant' }),
    event('contentBlockStart', {
      contentBlockIndex: 0,
      start: { toolUse: { toolUseId: 't', name: 'json_tool_call' } },
    }),
    delta(0, { toolUse: { input: '{"answer"' } }),
    delta(0, { toolUse: { input: ':1}' } }),
    event('contentBlockStop', { contentBlockIndex: 0 }),
    event('messageStop', { stopReason: 'tool_use' }),
  ])
  assert.deepEqual(
    chunks.flatMap(({ choices }) => choices).map((choice) => [choice['delta'], choice['finish_reason']]),
    [
      [{ role: 'assistant', content: '' }, null],
      [{ content: '{"answer"' }, null],
      [{ content: ':1}' }, null],
      [{}, 'stop'],
    ],
  )
})

const EXCEPTIONS = [
  ['throttlingException', 'Too many requests', 'rate_limited'],
  ['serviceUnavailableException', 'busy', 'overloaded'],
  ['modelStreamErrorException', 'oops', 'server_error'],
  ['internalServerException', 'oops', 'server_error'],
  ['modelTimeoutException', 'slow', 'timeout'],
  ['validationException', 'Input is too long', 'bad_request'],
  ['validationException', 'Output blocked by content filtering policy', 'content_policy'],
] as const

for (const [name, message, kind] of EXCEPTIONS) {
  test(`${name} inside a stream ("${message}") is ${kind}`, () => {
    const bytes = frame({ ':message-type': 'exception', ':exception-type': name }, { message })
    assert.throws(() => streamed([STREAM.subarray(0, 0), bytes]), {
      kind,
      message: `the stream broke off with ${name}: ${message}`,
    })
  })
}

test('a stream without its last event is cut', () => {
  assert.throws(() => streamed([event('messageStart', { role: 'assistant' })]), { kind: 'cut' })
  assert.throws(() => streamed([STREAM.subarray(0, STREAM.length - 1)]), { kind: 'cut' })
})
