import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as assertProperty, nat, property } from 'fast-check'
import type { JsonObject } from '../../core/json.ts'
import type { ChatRequest } from '../../core/mode.ts'
import { answerOf, deploymentOf } from '../adapter.contract.ts'
import type { Target } from '../adapter.ts'
import { streamContract } from '../stream.contract.ts'
import { cohere } from './adapter.ts'
import { cohereChat } from './chat.ts'
import { openCohereStream } from './chat-stream.ts'
import { cohereEmbed } from './embed.ts'

const target = (base: string): Target => ({ provider: 'cohere', model: 'command-r', base, bodyDefaults: {} })
const V2 = target('https://api.cohere.com')
const V1 = target('http://127.0.0.1:9/ok/v1/chat')

function bodyOf(request: ChatRequest, at: Target): unknown {
  const { body } = cohereChat.encode(request, at)
  return JSON.parse(String(body))
}

const PLACES: readonly (readonly ['chat' | 'embedding' | 'rerank', string, string])[] = [
  ['chat', 'https://api.cohere.com', 'https://api.cohere.com/v2/chat'],
  ['chat', 'http://h/ok/v1/chat', 'http://h/ok/v1/chat'],
  ['chat', 'http://h/v1', 'http://h/v1/chat'],
  ['embedding', 'http://h/ok/v1/embed', 'http://h/ok/v1/embed'],
  ['embedding', 'https://api.cohere.com/v2', 'https://api.cohere.com/v2/embed'],
  ['rerank', 'http://127.0.0.1:9100/ok/v1/rerank', 'http://127.0.0.1:9100/ok/v1/rerank'],
  ['rerank', 'http://h/v1/chat', 'http://h/v1/rerank'],
  ['rerank', 'https://api.cohere.com', 'https://api.cohere.com/v2/rerank'],
]

for (const [mode, base, url] of PLACES) {
  test(`${mode} with api_base ${base} goes to ${url}`, () => {
    const requests = {
      chat: { messages: [] },
      embedding: { input: ['x'] },
      rerank: { query: 'q', documents: ['d'] },
    }
    const codec = cohere.codecs[mode]
    assert.ok(codec !== 'unsupported')
    const wire =
      mode === 'chat'
        ? cohereChat.encode(requests.chat, target(base))
        : mode === 'embedding'
          ? cohereEmbed.encode(requests.embedding, target(base))
          : encodeRerank(base)
    assert.equal(wire.url, url)
  })
}

function encodeRerank(base: string): { readonly url: string } {
  const codec = cohere.codecs.rerank
  assert.ok(codec !== 'unsupported')
  return codec.encode({ query: 'q', documents: ['d'] }, target(base))
}

test("OpenAI's words become Cohere's, and unknown ones are carried", () => {
  const request: ChatRequest = {
    messages: [
      { role: 'developer', content: 'be brief' },
      { role: 'user', content: 'ping' },
    ],
    max_completion_tokens: 5,
    stop: '.',
    top_p: 0.5,
    n: 1,
    user: 'u',
    tool_choice: 'required',
    response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' } } },
    safety_mode: 'NONE',
  }
  assert.deepEqual(bodyOf(request, V2), {
    model: 'command-r',
    messages: [
      { role: 'system', content: 'be brief' },
      { role: 'user', content: 'ping' },
    ],
    max_tokens: 5,
    stop_sequences: ['.'],
    p: 0.5,
    tool_choice: 'REQUIRED',
    response_format: { type: 'json_object', json_schema: { type: 'object' } },
    safety_mode: 'NONE',
  })
})

test('version 1 gets the last message alone and the others as history', () => {
  const messages = [
    { role: 'system', content: 'be brief' },
    { role: 'assistant', content: 'yes?' },
    { role: 'user', content: [{ type: 'text', text: 'ping' }] },
  ]
  assert.deepEqual(bodyOf({ messages, max_tokens: 16 }, V1), {
    model: 'command-r',
    max_tokens: 16,
    message: 'ping',
    chat_history: [
      { role: 'SYSTEM', message: 'be brief' },
      { role: 'CHATBOT', message: 'yes?' },
    ],
  })
})

test('what Cohere lacks is named where it would have changed the answer', () => {
  const request = { messages: [], n: 2, logit_bias: { 5: 1 }, top_logprobs: 2, parallel_tool_calls: false }
  assert.deepEqual(cohereChat.encode({ ...request, user: 'u', stream_options: {} }, V2).dropped, [
    'n',
    'logit_bias',
    'top_logprobs',
    'parallel_tool_calls',
  ])
  const tools = [{ type: 'function', function: { name: 'f' } }]
  assert.deepEqual(cohereChat.encode({ messages: [], tools, reasoning_effort: 'low' }, V1).dropped, [
    'tools',
    'reasoning_effort',
  ])
})

test('one named tool is the only one offered, and tools are strict together', () => {
  const tools = ['f', 'g'].map((name) => ({ type: 'function', function: { name, strict: true } }))
  const tool_choice = { type: 'function', function: { name: 'g' } }
  assert.deepEqual(bodyOf({ messages: [], tools, tool_choice }, V2), {
    model: 'command-r',
    messages: [],
    tools: [{ type: 'function', function: { name: 'g', parameters: { type: 'object', properties: {} } } }],
    strict_tools: true,
    tool_choice: 'REQUIRED',
  })
})

test('of tools that are allowed only those are offered; what is no function is refused', () => {
  const tools = ['f', 'g', 'h'].map((name) => ({ type: 'function', function: { name } }))
  const chosen = (mode: string): JsonObject => ({
    type: 'allowed_tools',
    allowed_tools: { mode, tools: [tools[1] ?? null, tools[2] ?? null] },
  })
  const parameters = { type: 'object', properties: {} }
  const offered = ['g', 'h'].map((name) => ({ type: 'function', function: { name, parameters } }))
  const said = { model: 'command-r', messages: [], tools: offered }
  assert.deepEqual(bodyOf({ messages: [], tools, tool_choice: chosen('auto') }, V2), said)
  assert.deepEqual(bodyOf({ messages: [], tools, tool_choice: chosen('required') }, V2), {
    ...said,
    tool_choice: 'REQUIRED',
  })
  assert.throws(() => bodyOf({ messages: [], tools: [{ type: 'custom', custom: { name: 'c' } }] }, V2), {
    kind: 'bad_request',
    param: 'tools',
    source: 'client',
  })
})

test('calls, plans, thoughts and results of tools keep their places', () => {
  const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }
  const messages = [
    { role: 'assistant', content: null, reasoning_content: 'plan', tool_calls: [call] },
    { role: 'tool', tool_call_id: 'c', name: 'f', content: '1' },
    { role: 'assistant', content: 'so', reasoning_content: 'hm', refusal: null },
    { role: 'user', content: [{ type: 'image_url', image_url: 'https://p.test/a.png' }] },
  ]
  assert.deepEqual(bodyOf({ messages, reasoning_effort: 'none' }, V2), {
    model: 'command-r',
    messages: [
      { role: 'assistant', tool_calls: [call], tool_plan: 'plan' },
      { role: 'tool', tool_call_id: 'c', content: '1' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm' },
          { type: 'text', text: 'so' },
        ],
      },
      { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://p.test/a.png' } }] },
    ],
    thinking: { type: 'disabled' },
  })
})

for (const [what, at, content] of [
  ['sound', V2, [{ type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } }]],
  ['a file', V2, [{ type: 'file', file: { file_data: 'data:application/pdf;base64,AA==' } }]],
  [
    'a picture for the first version',
    V1,
    [{ type: 'image_url', image_url: { url: 'https://p.test/a.png' } }],
  ],
] as const)
  test(`${what} is refused`, () => {
    assert.throws(() => bodyOf({ messages: [{ role: 'user', content }] }, at), {
      kind: 'bad_request',
      param: 'messages',
      source: 'client',
    })
  })

/** Shapes: https://docs.cohere.com/docs/documents-and-citations and …/reference/chat (read 2026-11-27). */
test('calls, plans, citations, probabilities and cached tokens become what OpenAI calls them', () => {
  const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }
  const page = { id: 'd1', title: 'Ping', url: 'https://p.test/' }
  const citations = [
    { start: 0, end: 4, text: 'pong', sources: [{ type: 'document', id: 'd1', document: page }] },
    { start: 5, end: 6, text: 'x', sources: [{ type: 'tool', id: 't', tool_output: {} }] },
  ]
  const called = cohereChat.decode(
    answerOf({
      id: 'c1',
      message: { role: 'assistant', tool_plan: 'ask', tool_calls: [call] },
      finish_reason: 'TOOL_CALL',
      usage: { tokens: { input_tokens: 5, output_tokens: 1 }, cached_tokens: 4 },
    }),
    V2,
  )
  assert.deepEqual(called.choices[0]?.message, {
    role: 'assistant',
    content: null,
    reasoning_content: 'ask',
    tool_calls: [call],
    refusal: null,
  })
  assert.equal(called.choices[0].finish_reason, 'tool_calls')
  assert.deepEqual(called.usage, {
    prompt_tokens: 5,
    completion_tokens: 1,
    total_tokens: 6,
    prompt_tokens_details: { cached_tokens: 4 },
  })
  const cited = cohereChat.decode(
    answerOf({
      message: { role: 'assistant', content: [{ type: 'text', text: 'pong' }], citations },
      finish_reason: 'COMPLETE',
      logprobs: [{ text: 'pong', token_ids: [1, 2], logprobs: [-1, -0.5] }],
    }),
    V2,
  )
  assert.deepEqual(cited.choices[0], {
    index: 0,
    message: {
      role: 'assistant',
      content: 'pong',
      citations,
      annotations: [
        {
          type: 'url_citation',
          url_citation: { start_index: 0, end_index: 4, url: 'https://p.test/', title: 'Ping' },
        },
      ],
      refusal: null,
    },
    logprobs: {
      content: [{ token: 'pong', logprob: -1.5, bytes: [112, 111, 110, 103], top_logprobs: [] }],
      refusal: null,
    },
    finish_reason: 'stop',
  })
})

/** Shape: https://docs.cohere.com/reference/chat. */
test("a version 2 answer becomes OpenAI's", () => {
  const answer = answerOf({
    id: 'c1',
    message: {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'hm' },
        { type: 'text', text: 'po' },
        { type: 'text', text: 'ng' },
      ],
    },
    finish_reason: 'MAX_TOKENS',
    usage: {
      billed_units: { input_tokens: 1, output_tokens: 1 },
      tokens: { input_tokens: 5, output_tokens: 2 },
    },
  })
  assert.deepEqual(
    cohereChat.decode(
      { ...answer, headers: { ...answer.headers, date: 'Tue, 14 Nov 2023 22:13:20 GMT' } },
      V2,
    ),
    {
      id: 'c1',
      object: 'chat.completion',
      created: 1_700_000_000,
      model: 'command-r',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'pong', reasoning_content: 'hm', refusal: null },
          logprobs: null,
          finish_reason: 'length',
        },
      ],
      usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
    },
  )
})

const FLAWED: readonly (readonly [string, Parameters<typeof answerOf>[0], string])[] = [
  [
    'a finish reason of ERROR',
    { id: 'c', message: { content: [{ type: 'text', text: 'x' }] }, finish_reason: 'ERROR' },
    'server_error',
  ],
  ['a message without a word', { id: 'c', message: { content: [] }, finish_reason: 'COMPLETE' }, 'empty'],
  ["OpenAI's shape", { choices: [{ message: { content: 'x' } }] }, 'wrong_shape'],
  ['an error message', { message: 'invalid api token' }, 'server_error'],
]

for (const [what, body, kind] of FLAWED) {
  test(`${what} is no answer`, () => assert.throws(() => cohereChat.decode(answerOf(body), V2), { kind }))
}

test('an embedding says what it is for and reads both answer shapes', () => {
  const wire = cohereEmbed.encode({ input: ['a'], encoding_format: 'float' }, V2)
  assert.deepEqual(JSON.parse(String(wire.body)), {
    model: 'command-r',
    texts: ['a'],
    input_type: 'search_document',
    embedding_types: ['float'],
  })
  const answer = {
    embeddings: { int8: [[1, 2]], float: [[0.1, 0.2]] },
    meta: { billed_units: { input_tokens: 4 } },
  }
  assert.deepEqual(cohereEmbed.decode(answerOf(answer), V2), {
    dimensions: 2,
    model: 'command-r',
    vectors: [[0.1, 0.2]],
    usage: { prompt_tokens: 4, total_tokens: 4 },
  })
  assert.throws(() => cohereEmbed.decode(answerOf({ embeddings: { float: [[0, 0]] } }), V2), {
    kind: 'wrong_shape',
  })
})

/** Events: https://docs.cohere.com/reference/chat-stream. */
const EVENTS = [
  'event: message-start\ndata: {"id":"c1","type":"message-start","delta":{"message":{"role":"assistant"}}}\n\n',
  'event: content-start\ndata: {"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}\n\n',
  'event: content-delta\ndata: {"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"pö"}}}}\n\n',
  'event: tool-call-start\ndata: {"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"t1","type":"function","function":{"name":"f","arguments":""}}}}}\n\n',
  'event: message-end\ndata: {"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"tokens":{"input_tokens":5,"output_tokens":1}}}}\n\n',
].join('')

const chunk = (choices: unknown, usage?: unknown): unknown => ({
  id: 'c1',
  object: 'chat.completion.chunk',
  created: 0,
  model: 'command-r',
  choices,
  ...(usage === undefined ? {} : { usage }),
})
const CHUNKS = [
  chunk([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }]),
  chunk([{ index: 0, delta: { content: 'pö' }, finish_reason: null }]),
  chunk([
    {
      index: 0,
      delta: {
        tool_calls: [{ index: 0, id: 't1', type: 'function', function: { name: 'f', arguments: '' } }],
      },
      finish_reason: null,
    },
  ]),
  chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]),
  chunk([], { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 }),
]

test("a stream becomes OpenAI's chunks however the network cuts it", () => {
  const bytes = Buffer.from(EVENTS)
  assertProperty(
    property(array(nat({ max: bytes.length }), { maxLength: 30 }), (cuts) => {
      const decoder = openCohereStream(V2)
      const places = [0, ...cuts.sort((a, b) => a - b), bytes.length]
      const chunks = places.slice(1).flatMap((end, at) => decoder.push(bytes.subarray(places[at], end)))
      assert.deepEqual([...chunks, ...decoder.end()], CHUNKS)
    }),
  )
})

const said = (type: string, index: number, message: unknown): string =>
  `data: ${JSON.stringify({ type, index, delta: { message } })}\n\n`
const CALLS = [
  'data: {"id":"c1","type":"message-start","delta":{"message":{"role":"assistant"}}}\n\n',
  said('tool-plan-delta', 0, { tool_plan: 'I äsk' }),
  ...[3, 5].flatMap((at) => [
    said('tool-call-start', at, {
      tool_calls: { id: `t${at}`, type: 'function', function: { name: 'f', arguments: '' } },
    }),
    said('tool-call-delta', at, { tool_calls: { function: { arguments: '{}' } } }),
    `data: {"type":"tool-call-end","index":${at}}\n\n`,
  ]),
  'data: {"type":"message-end","delta":{"finish_reason":"TOOL_CALL"}}\n\n',
].join('')
const piece = (delta: unknown, finish_reason: string | null = null): unknown =>
  chunk([{ index: 0, delta, finish_reason }])

streamContract('a stream of parallel calls', () => openCohereStream(V2), CALLS, [
  piece({ role: 'assistant', content: '' }),
  piece({ reasoning_content: 'I äsk' }),
  piece({ tool_calls: [{ index: 0, id: 't3', type: 'function', function: { name: 'f', arguments: '' } }] }),
  piece({ tool_calls: [{ index: 0, function: { arguments: '{}' } }] }),
  piece({ tool_calls: [{ index: 1, id: 't5', type: 'function', function: { name: 'f', arguments: '' } }] }),
  piece({ tool_calls: [{ index: 1, function: { arguments: '{}' } }] }),
  piece({}, 'tool_calls'),
])

test('a stream that ends with a reason has broken off', () => {
  const end = 'data: {"type":"message-end","delta":{"error":"overheated","finish_reason":"ERROR"}}\n\n'
  assert.throws(() => openCohereStream(V2).push(Buffer.from(end)), {
    kind: 'server_error',
    message: /overheated/,
  })
})

test('a version 1 stream of lines is read too', () => {
  const decoder = openCohereStream(V1)
  const lines = [
    '{"event_type":"stream-start","generation_id":"c1","is_finished":false}',
    '{"event_type":"text-generation","text":"pong","is_finished":false}',
    '{"event_type":"stream-end","finish_reason":"MAX_TOKENS","is_finished":true,"response":{"meta":{"tokens":{"input_tokens":5,"output_tokens":1}}}}',
  ]
  assert.deepEqual(
    [...decoder.push(Buffer.from(lines.join('\n'))), ...decoder.end()],
    [
      chunk([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }]),
      chunk([{ index: 0, delta: { content: 'pong' }, finish_reason: null }]),
      chunk([{ index: 0, delta: {}, finish_reason: 'length' }]),
      chunk([], { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 }),
    ],
  )
})

test('a stream without its last event is cut', () => {
  const decoder = openCohereStream(V2)
  decoder.push(Buffer.from(EVENTS.slice(0, 200)))
  assert.throws(() => decoder.end(), { kind: 'cut' })
})

test('an error inside a stream is one', () => {
  const decoder = openCohereStream(V2)
  assert.throws(() => decoder.push(Buffer.from('data: {"message":"internal server error"}\n\n')), {
    kind: 'server_error',
  })
})

test('a key comes from either variable', () => {
  const { connection } = deploymentOf('cohere')
  const deployment = deploymentOf('cohere', { connection: { headers: connection.headers } })
  const opened = cohere.connect(deployment, { CO_API_KEY: 'co-key' })
  assert.ok('secrets' in opened)
  assert.deepEqual(
    opened.secrets.map((secret) => secret.reveal()),
    ['co-key'],
  )
  assert.deepEqual(cohere.connect(deployment, {}), {
    message: 'no API key: set api_key in litellm_params, or COHERE_API_KEY or CO_API_KEY in the environment',
  })
})
