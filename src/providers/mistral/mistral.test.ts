import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scanObject } from '../../core/json-spans.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ChatRequest } from '../../core/mode.ts'
import { answerOf, REQUESTS } from '../adapter.contract.ts'
import type { Target } from '../adapter.ts'
import { relayedRequest } from '../relayed-request.ts'
import { streamContract } from '../stream.contract.ts'
import { mistral } from './adapter.ts'
import { openMistralStream } from './chat-answer.ts'

const target = (model = 'mistral-small-latest', bodyDefaults: JsonObject = {}): Target => ({
  provider: 'mistral',
  model,
  base: 'https://api.mistral.ai/v1',
  bodyDefaults,
})
const TARGET = target()
const { chat, completion, embedding, audio_transcription: transcription } = mistral.codecs
assert.ok(chat !== 'unsupported' && completion !== 'unsupported')
assert.ok(embedding !== 'unsupported' && transcription !== 'unsupported')

const USER = [{ role: 'user', content: 'ping' }]

function sent(request: ChatRequest, at = TARGET): unknown {
  return JSON.parse(String(chat !== 'unsupported' && chat.encode(request, at).body))
}

/** The body as it is passed on; undefined where it is to be translated. */
function passedOn(body: JsonObject, at = TARGET): unknown {
  const face = chat !== 'unsupported' ? chat.relay : undefined
  assert.ok(face !== undefined)
  const bytes = Buffer.from(JSON.stringify(body))
  const spans = scanObject(bytes)
  if (face.takes?.(at, bytes, spans) === false) return undefined
  return JSON.parse(String(relayedRequest(at, face, bytes, spans, undefined).body))
}

test('what Mistral takes is passed on, under its names and without what says nothing to it', () => {
  const body = {
    model: 'group',
    messages: USER,
    seed: 7,
    max_completion_tokens: 9,
    user: 'u',
    stream_options: { include_usage: true },
    store: false,
    stream: true,
    made_up: 1,
  }
  assert.deepEqual(passedOn(body, target('m', { seed: 1, temperature: 0.1, user: 'd' })), {
    model: 'm',
    messages: USER,
    random_seed: 7,
    max_tokens: 9,
    stream: true,
    temperature: 0.1,
    made_up: 1,
  })
})

const CALL = { id: 'call_of_another', type: 'function', function: { name: 'f', arguments: '{}' }, index: 0 }
/** What is said in other words there, or answered in other words. */
const TRANSLATED: readonly (readonly [string, JsonObject, Target?])[] = [
  ['a bias', { messages: USER, logit_bias: { 5: 1 } }],
  ['a mark of a cache', { messages: [{ ...USER[0], cache_control: { type: 'ephemeral' } }] }],
  // Calls are not quite OpenAI's there.
  ['a tool', { messages: USER, tools: [{ type: 'function', function: { name: 'f' } }] }],
  ['a developer', { messages: [{ role: 'developer', content: 'x' }] }],
  ['a name', { messages: [{ role: 'user', name: 'ann', content: 'x' }] }],
  ['calls of tools', { messages: [{ role: 'assistant', content: null, tool_calls: [CALL] }] }],
  ['an answer of OpenAI sent back', { messages: [{ role: 'assistant', content: 'x', refusal: null }] }],
  ['a file', { messages: [{ role: 'user', content: [{ type: 'file', file: {} }] }] }],
  ['an effort', { messages: USER, reasoning_effort: 'high' }],
  ['a model that thinks', { messages: USER }, target('magistral-medium-latest')],
  ['a default that makes it think', { messages: USER }, target('m', { reasoning_effort: 'high' })],
  ['a default that Mistral lacks', { messages: USER }, target('m', { logit_bias: { 5: 1 } })],
]
for (const [what, body, at] of TRANSLATED)
  test(`${what} is translated`, () => assert.equal(passedOn({ model: 'g', ...body }, at), undefined))

test("OpenAI's words become Mistral's, and unknown ones are carried", () => {
  const request: ChatRequest = {
    messages: [
      { role: 'developer', content: 'be brief' },
      {
        role: 'user',
        name: 'ann',
        content: [
          { type: 'text', text: 'hear' },
          { type: 'image_url', image_url: { url: 'https://p.test/a.png', detail: 'low' } },
          { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
          { type: 'file', file: { file_data: 'data:application/pdf;base64,AA==', filename: 'a.pdf' } },
        ],
      },
      {
        role: 'assistant',
        content: 'well',
        refusal: null,
        annotations: [],
        reasoning_content: 'hm',
        tool_calls: [CALL, { ...CALL, id: 'Abcdef123' }],
      },
      { role: 'tool', tool_call_id: 'call_of_another', content: '1' },
    ],
    seed: 7,
    max_completion_tokens: 9,
    reasoning_effort: 'low',
    response_format: { type: 'json_schema', json_schema: { name: 'x', schema: {}, strict: true } },
    logit_bias: { 5: 1 },
    logprobs: true,
    user: 'u',
    service_tier: 'auto',
    n: 2,
    made_up: 1,
  }
  assert.deepEqual(chat.encode(request, TARGET).dropped, ['logit_bias', 'logprobs', 'messages[].name'])
  assert.deepEqual(sent(request), {
    model: 'mistral-small-latest',
    messages: [
      { role: 'system', content: 'be brief' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'hear' },
          { type: 'image_url', image_url: { url: 'https://p.test/a.png', detail: 'low' } },
          { type: 'input_audio', input_audio: 'AA==' },
          { type: 'document_url', document_url: 'data:application/pdf;base64,AA==', document_name: 'a.pdf' },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
          { type: 'text', text: 'well' },
        ],
        tool_calls: [
          { id: 'd1d5552e5', type: 'function', function: CALL.function },
          { id: 'Abcdef123', type: 'function', function: CALL.function },
        ],
      },
      { role: 'tool', content: '1', tool_call_id: 'd1d5552e5' },
    ],
    random_seed: 7,
    max_tokens: 9,
    reasoning_effort: 'high',
    response_format: request['response_format'],
    n: 2,
    made_up: 1,
  })
})

test('what was thought is kept from models that do not think', () => {
  const messages = [{ role: 'assistant', content: 'well', reasoning_content: 'hm' }]
  assert.partialDeepStrictEqual(sent({ messages }), { messages: [{ role: 'assistant', content: 'well' }] })
})

test('what another provider’s answer had is not given back to Mistral', () => {
  for (const foreign of [
    'thinking_blocks',
    'provider_specific_fields',
    'reasoning',
    'reasoning_details',
    'images',
  ]) {
    const messages = [{ role: 'assistant', content: 'well', [foreign]: [] }, ...USER]
    assert.equal(passedOn({ messages }), undefined, foreign)
    assert.partialDeepStrictEqual(sent({ messages }), {
      messages: [{ role: 'assistant', content: 'well' }, ...USER],
    })
  }
})

const THOUGHT = {
  type: 'thinking',
  thinking: [
    { type: 'text', text: 'h' },
    { type: 'text', text: 'm' },
  ],
}

/** Shape: https://docs.mistral.ai/capabilities/reasoning (read 2026-11-27). */
test('content in parts becomes a text and what was thought', () => {
  const answer = {
    id: 'c',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: [THOUGHT, { type: 'text', text: 'pong' }] },
        finish_reason: 'model_length',
      },
    ],
  }
  assert.deepEqual(chat.decode(answerOf(answer), TARGET).choices, [
    {
      index: 0,
      message: { role: 'assistant', content: 'pong', reasoning_content: 'hm' },
      finish_reason: 'length',
    },
  ])
})

const event = (data: JsonObject): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', ...data })}\n\n`
const STREAM = [
  event({ choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] }),
  event({ choices: [{ index: 0, delta: { content: [THOUGHT] }, finish_reason: null }] }),
  event({ choices: [{ index: 0, delta: { content: 'pöng' }, finish_reason: null }] }),
  event({
    choices: [{ index: 0, delta: { content: '' }, finish_reason: 'stop' }],
    usage: { total_tokens: 6 },
  }),
  'data: [DONE]\n\n',
].join('')
const chunk = (choices: unknown, more = {}): unknown => ({
  id: 'c',
  object: 'chat.completion.chunk',
  choices,
  ...more,
})

streamContract('a stream with thoughts', openMistralStream, STREAM, [
  chunk([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }]),
  chunk([{ index: 0, delta: { reasoning_content: 'hm' }, finish_reason: null }]),
  chunk([{ index: 0, delta: { content: 'pöng' }, finish_reason: null }]),
  chunk([{ index: 0, delta: { content: '' }, finish_reason: 'stop' }]),
  chunk([], { usage: { total_tokens: 6 } }),
])

test('a call says that it is one of a function, with arguments as text, whole and streamed', () => {
  const bare = [
    { id: 'c1', function: { name: 'f', arguments: '{}' } },
    { id: 'c2', function: { name: 'g', arguments: { a: 1 } }, index: 1 },
  ]
  const [first, second] = [
    { id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } },
    { id: 'c2', type: 'function', function: { name: 'g', arguments: '{"a":1}' }, index: 1 },
  ]
  const message = { role: 'assistant', content: '', tool_calls: bare }
  const whole = { id: 'c', choices: [{ index: 0, message, finish_reason: 'tool_calls' }] }
  const { choices } = chat.decode(answerOf(whole), TARGET)
  assert.deepEqual(choices[0]?.message['tool_calls'], [first, second])
  const decoder = openMistralStream()
  const event = {
    id: 'c',
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta: message, finish_reason: 'tool_calls' }],
  }
  const [chunk] = decoder.push(Buffer.from(`data: ${JSON.stringify(event)}\n\n`))
  assert.partialDeepStrictEqual(chunk, {
    choices: [{ delta: { tool_calls: [{ ...first, index: 0 }, second] } }],
  })
})

test('a text is completed by filling in, with what that takes', () => {
  const { url, body, dropped } = completion.encode(
    { prompt: 'a', suffix: 'b', seed: 1, max_tokens: 3, echo: true, n: 1 },
    TARGET,
  )
  assert.equal(url, 'https://api.mistral.ai/v1/fim/completions')
  assert.deepEqual(JSON.parse(String(body)), {
    model: 'mistral-small-latest',
    prompt: 'a',
    suffix: 'b',
    random_seed: 1,
    max_tokens: 3,
  })
  assert.deepEqual(dropped, ['echo'])
})

test('a role that nobody knows goes as it came, whatever it is called', () => {
  const messages = [{ role: 'constructor', content: 'ping', name: 'ann' }]
  const { body } = chat.encode({ messages }, TARGET)
  assert.deepEqual(JSON.parse(String(body)), { model: 'mistral-small-latest', messages })
})

test('the size of vectors has another name', () => {
  const { body } = embedding.encode({ ...REQUESTS.embedding, dimensions: 8, user: 'u' }, TARGET)
  assert.deepEqual(JSON.parse(String(body)), {
    model: 'mistral-small-latest',
    input: ['ping'],
    output_dimension: 8,
  })
})

test('batches are listed by the page', () => {
  const { batch } = mistral.codecs
  assert.ok(batch !== 'unsupported')
  assert.equal(batch.encode({ limit: 1 }, TARGET).url, `${TARGET.base}/batch/jobs?page_size=1`)
})

test('a transcript is JSON, and asked for without saying so', () => {
  const { body } = transcription.encode(REQUESTS.audio_transcription, TARGET)
  assert.ok(!String(body).includes('response_format'))
  const fields = Buffer.from('{"model":"m","response_format":"srt"}')
  assert.throws(() => transcription.relay?.takes?.(TARGET, fields, scanObject(fields)), {
    kind: 'bad_request',
    param: 'response_format',
  })
})
