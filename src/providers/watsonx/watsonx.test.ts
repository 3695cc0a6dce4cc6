import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Connection } from '../../core/deployment.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { Secret } from '../../core/secret.ts'
import type { WireRequest } from '../../transport/wire.ts'
import {
  adapterContract,
  answerOf,
  CONTRACT_KEY,
  deploymentOf,
  type GoodAnswer,
} from '../adapter.contract.ts'
import type { Codec, Connected, StreamDecoder, Target } from '../adapter.ts'
import { watsonx, watsonxText } from './adapter.ts'
import { groundOn } from '../auth/ground.fixture.ts'

const BASE = 'https://us-south.ml.cloud.ibm.com'
const PROJECT = { settings: { project_id: 'the-project' } }

/** Written from https://cloud.ibm.com/apidocs/watsonx-ai (read 2026-11-27). */
const ANSWERS: Readonly<Record<'chat' | 'completion' | 'embedding' | 'rerank', GoodAnswer>> = {
  chat: {
    source: 'https://cloud.ibm.com/apidocs/watsonx-ai#text-chat',
    body: {
      id: 'cmpl-15475d0dea9b4429a55843c77997f8a9',
      model_id: 'meta-llama/llama-3-8b-instruct',
      created: 1_689_958_352,
      created_at: '2023-07-21T16:52:32.190Z',
      choices: [{ index: 0, message: { role: 'assistant', content: 'pong' }, finish_reason: 'stop' }],
      usage: { completion_tokens: 47, prompt_tokens: 59, total_tokens: 106 },
      system: { warnings: [{ message: 'This model is deprecated.' }] },
    },
    value: {
      id: 'cmpl-15475d0dea9b4429a55843c77997f8a9',
      object: 'chat.completion',
      created: 1_689_958_352,
      model: 'meta-llama/llama-3-8b-instruct',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'pong', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: { completion_tokens: 47, prompt_tokens: 59, total_tokens: 106 },
    },
  },
  completion: {
    source: 'https://cloud.ibm.com/apidocs/watsonx-ai#text-generation',
    body: {
      model_id: 'google/flan-ul2',
      created_at: '2023-07-21T16:52:32.190Z',
      results: [
        { generated_text: 'pong', generated_token_count: 4, input_token_count: 12, stop_reason: 'eos_token' },
      ],
    },
    value: {
      text: 'pong',
      model: 'google/flan-ul2',
      whole: {
        id: '',
        object: 'text_completion',
        created: 1_689_958_352,
        model: 'google/flan-ul2',
        choices: [{ index: 0, text: 'pong', finish_reason: 'stop', logprobs: null }],
        usage: { prompt_tokens: 12, completion_tokens: 4, total_tokens: 16 },
      },
    },
  },
  embedding: {
    source: 'https://cloud.ibm.com/apidocs/watsonx-ai#text-embeddings',
    body: {
      model_id: 'slate',
      results: [{ embedding: [-0.006, 0.02] }],
      created_at: '2024-02-21T17:32:28Z',
      input_token_count: 10,
    },
    value: {
      dimensions: 2,
      model: 'slate',
      vectors: [[-0.006, 0.02]],
      usage: { prompt_tokens: 10, total_tokens: 10 },
    },
  },
  rerank: {
    source: 'https://cloud.ibm.com/apidocs/watsonx-ai#text-rerank',
    body: {
      model_id: 'cross-encoder/ms-marco-minilm-l-12-v2',
      results: [
        { index: 1, score: 0.7461 },
        { index: 0, score: -8.6, input: { text: 'a' } },
      ],
      input_token_count: 20,
    },
    value: {
      results: [
        { index: 1, relevance_score: 0.7461 },
        { index: 0, relevance_score: -8.6 },
      ],
      whole: {
        id: '',
        results: [
          { index: 1, relevance_score: 0.7461 },
          { index: 0, relevance_score: -8.6, document: { text: 'a' } },
        ],
        meta: { tokens: { input_tokens: 20 } },
      },
    },
  },
}

for (const adapter of [watsonx, watsonxText]) {
  adapterContract(adapter, ANSWERS, {
    connection: {
      apiBase: BASE,
      headers: {},
      settings: PROJECT.settings,
      secrets: { token: new Secret(CONTRACT_KEY) },
    },
  })
}

function connected(
  connection: Partial<Connection>,
  model = 'ibm/granite',
  bodyDefaults: JsonObject = {},
  env: Readonly<Record<string, string>> = { WATSONX_TOKEN: 'tok' },
): Connected {
  const whole = { apiBase: BASE, headers: {}, ...connection }
  const made = deploymentOf('watsonx', { upstreamModel: model, bodyDefaults, connection: whole })
  const result = watsonx.connect(made, env)
  assert.ok('authorize' in result, 'message' in result ? result.message : '')
  return result
}

const targetOf = (model?: string, defaults?: JsonObject): Target => connected(PROJECT, model, defaults).target

function codec<M extends 'chat' | 'completion' | 'embedding' | 'rerank'>(mode: M): Codec<M> {
  const found = watsonx.codecs[mode]
  assert.ok(found !== 'unsupported')
  return found
}

function bodyOf({ body }: WireRequest): unknown {
  assert.ok(typeof body === 'string')
  return JSON.parse(body)
}

const MESSAGES = [{ role: 'user', content: 'ping' }] as const
const TOOL = { type: 'function', function: { name: 'f', parameters: { type: 'object' } } } as const
const NAMED = { type: 'function', function: { name: 'f' } } as const

const CHATS: readonly (readonly [string, JsonObject, JsonObject, readonly string[]])[] = [
  ['nothing but a conversation', {}, {}, []],
  [
    'what both call the same',
    { max_tokens: 5, max_completion_tokens: 6, seed: 1, n: 2, logprobs: true, top_logprobs: 2, top_p: 0.5 },
    { max_tokens: 5, max_completion_tokens: 6, seed: 1, n: 2, logprobs: true, top_logprobs: 2, top_p: 0.5 },
    [],
  ],
  [
    'its own members',
    { guided_choice: ['a', 'b'], time_limit: 5 },
    { guided_choice: ['a', 'b'], time_limit: 5 },
    [],
  ],
  ['a single stop', { stop: 'x' }, { stop: ['x'] }, []],
  [
    'tools, several at once',
    { tools: [TOOL], tool_choice: 'required', parallel_tool_calls: true },
    { tools: [TOOL], tool_choice_option: 'required' },
    [],
  ],
  ['a named tool', { tools: [TOOL], tool_choice: NAMED }, { tools: [TOOL], tool_choice: NAMED }, []],
  ['one tool at a time', { parallel_tool_calls: false }, {}, ['parallel_tool_calls']],
  [
    'a strict tool',
    { tools: [{ ...TOOL, function: { ...TOOL.function, strict: true } }] },
    { tools: [TOOL] },
    ['tools[].function.strict'],
  ],
  [
    'a schema',
    { response_format: { type: 'json_schema', json_schema: { name: 's', schema: {}, strict: true } } },
    { response_format: { type: 'json_schema', json_schema: { name: 's', schema: {}, strict: true } } },
    [],
  ],
  ['an effort', { reasoning_effort: 'high' }, { reasoning_effort: 'high' }, []],
  ['the least effort', { reasoning_effort: 'minimal' }, { reasoning_effort: 'low' }, []],
  ['no effort', { reasoning_effort: 'none' }, {}, ['reasoning_effort']],
  [
    'what changes no answer',
    { user: 'u', store: true, metadata: {}, service_tier: 'auto', stream_options: { include_usage: true } },
    {},
    [],
  ],
  ['sound', { modalities: ['audio'], audio: { voice: 'alloy' } }, {}, ['modalities', 'audio']],
]
for (const [what, asked, said, dropped] of CHATS) {
  test(`a chat says ${what}`, () => {
    const request = { messages: MESSAGES, ...asked }
    const { dropped: lost = [], ...wire } = codec('chat').encode(request, targetOf())
    assert.deepEqual(bodyOf(wire), {
      ...said,
      messages: MESSAGES,
      model_id: 'ibm/granite',
      project_id: 'the-project',
    })
    assert.deepEqual(lost, dropped)
    assert.equal(wire.url, `${BASE}/ml/v1/text/chat?version=2024-10-08`)
  })
}

test('a conversation keeps its pictures, and only users speak in parts', () => {
  const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }
  const text = { type: 'text', text: 'see' }
  const call = { id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } }
  const wire = codec('chat').encode(
    {
      messages: [
        { role: 'developer', content: [text, text] },
        { role: 'user', content: [text, picture] },
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: 'c1', content: [text] },
      ],
    },
    targetOf(),
  )
  assert.deepEqual(Reflect.get(Object(bodyOf(wire)), 'messages'), [
    { role: 'system', content: 'seesee' },
    { role: 'user', content: [text, picture] },
    { role: 'assistant', content: null, tool_calls: [call] },
    { role: 'tool', tool_call_id: 'c1', content: 'see' },
  ])
  for (const [role, part] of [
    ['user', { type: 'file', file: { file_data: 'data:application/pdf;base64,AA==' } }],
    ['assistant', picture],
  ] as const)
    assert.throws(() => codec('chat').encode({ messages: [{ role, content: [part] }] }, targetOf()), {
      kind: 'bad_request',
      param: 'messages',
      clientStatus: 400,
    })
})

test('where a request goes depends on the model, the stream and the base', () => {
  const chat = (target: Target, stream = false): string =>
    codec('chat').encode({ messages: MESSAGES, ...(stream && { stream }) }, target).url
  const deployed = targetOf('deployment/my dep')
  assert.equal(chat(targetOf(), true), `${BASE}/ml/v1/text/chat_stream?version=2024-10-08`)
  assert.equal(chat(deployed), `${BASE}/ml/v1/deployments/my%20dep/text/chat?version=2024-10-08`)
  assert.equal(
    chat({ ...targetOf(), apiVersion: '2025-01-01' }),
    `${BASE}/ml/v1/text/chat?version=2025-01-01`,
  )
  assert.equal(chat({ ...targetOf(), base: `${BASE}/ml/v1/text/chat` }), chat(targetOf()))
  const wire = codec('chat').encode({ messages: MESSAGES }, deployed)
  assert.deepEqual(bodyOf(wire), { messages: MESSAGES })
  assert.throws(() => codec('embedding').encode({ input: ['a'] }, deployed), { kind: 'misconfigured' })
  assert.equal(
    watsonx.freeUrl?.(targetOf()),
    `${BASE}/ml/v1/foundation_model_specs?version=2024-10-08&limit=1`,
  )
})

test('the other modes are said in their own words too', () => {
  const ids = { model_id: 'ibm/granite', project_id: 'the-project' }
  const asked = codec('completion').encode(
    { prompt: 'ping', max_tokens: 5, stop: 'x', seed: 3, temperature: 0.2, n: 1, echo: true, user: 'u' },
    targetOf(undefined, { min_new_tokens: 2 }),
  )
  assert.deepEqual(bodyOf(asked), {
    input: 'ping',
    parameters: {
      min_new_tokens: 2,
      max_new_tokens: 5,
      stop_sequences: ['x'],
      random_seed: 3,
      temperature: 0.2,
      decoding_method: 'sample',
    },
    ...ids,
  })
  assert.deepEqual(asked.dropped, ['echo'])
  assert.equal(
    codec('completion').encode({ prompt: 'p', stream: true }, targetOf()).url,
    `${BASE}/ml/v1/text/generation_stream?version=2024-10-08`,
  )
  const embedded = codec('embedding').encode(
    { input: ['a'], encoding_format: 'base64', dimensions: 4 },
    targetOf(),
  )
  assert.deepEqual(bodyOf(embedded), { inputs: ['a'], ...ids })
  assert.deepEqual(embedded.dropped, ['dimensions'])
  const ranked = codec('rerank').encode(
    {
      query: 'q',
      documents: ['a', 'b'],
      top_n: 1,
      return_documents: true,
      max_tokens_per_doc: 9,
      rank_fields: ['x'],
    },
    targetOf(),
  )
  assert.deepEqual(bodyOf(ranked), {
    query: 'q',
    inputs: [{ text: 'a' }, { text: 'b' }],
    parameters: { truncate_input_tokens: 9, return_options: { top_n: 1, inputs: true } },
    ...ids,
  })
  assert.deepEqual(ranked.dropped, ['rank_fields'])
})

/** Written from https://cloud.ibm.com/apidocs/watsonx-ai#text-chat-stream (read 2026-11-27). */
const CHAT_STREAM = [
  'id: 1\nevent: message\ndata: {"id":"chat-1","model_id":"ibm/granite","model":"ibm/granite","choices":[{"index":0,"finish_reason":null,"delta":{"role":"assistant","content":""}}],"created":1730383532,"model_version":"1.1.0","created_at":"2024-10-31T14:05:33Z","system":{"warnings":[]}}\n\n',
  'id: 2\nevent: message\ndata: {"id":"chat-1","model_id":"ibm/granite","choices":[{"index":0,"finish_reason":null,"delta":{"content":"pöng"}}],"created":1730383532}\n\n',
  'id: 3\nevent: message\ndata: {"id":"chat-1","model_id":"ibm/granite","choices":[{"index":0,"finish_reason":null,"delta":{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]}}],"created":1730383532}\n\n',
  'id: 4\nevent: message\ndata: {"id":"chat-1","model_id":"ibm/granite","choices":[{"index":0,"finish_reason":"tool_calls","delta":{}}],"created":1730383532}\n\n',
  'id: 5\nevent: message\ndata: {"id":"chat-1","model_id":"ibm/granite","choices":[],"created":1730383532,"usage":{"completion_tokens":2,"prompt_tokens":5,"total_tokens":7}}\n\n',
].join('')

/** Written from https://cloud.ibm.com/apidocs/watsonx-ai#text-generation-stream (read 2026-11-27). */
const TEXT_STREAM = [
  'id: 1\nevent: message\ndata: {"model_id":"g","created_at":"2023-07-21T16:52:32.190Z","results":[{"generated_text":"","generated_token_count":0,"input_token_count":8,"stop_reason":"not_finished"}]}\n\n',
  'id: 2\nevent: message\ndata: {"model_id":"g","created_at":"2023-07-21T16:52:32.190Z","results":[{"generated_text":"pö","generated_token_count":1,"input_token_count":0,"stop_reason":"not_finished"}]}\n\n',
  'id: 3\nevent: message\ndata: {"model_id":"g","created_at":"2023-07-21T16:52:32.190Z","results":[{"generated_text":"ng","generated_token_count":2,"input_token_count":0,"stop_reason":"max_tokens"}]}\n\n',
].join('')

function read<Event>(
  decoder: StreamDecoder<Event>,
  text: string,
  splits: readonly number[] = [],
): readonly Event[] {
  const bytes = Buffer.from(text)
  const events: Event[] = []
  let from = 0
  for (const cut of [...splits.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    events.push(...decoder.push(bytes.subarray(from, cut)))
    from = cut
  }
  return [...events, ...decoder.end()]
}

function opened(mode: 'chat' | 'completion'): StreamDecoder<JsonObject> {
  const decoder = codec(mode).openStream?.(targetOf())
  assert.ok(decoder !== undefined)
  return decoder
}

test('a stream is OpenAI’s chunks, its usage told once and last, however it is cut', () => {
  const head = { id: 'chat-1', created: 1_730_383_532, model: 'ibm/granite', object: 'chat.completion.chunk' }
  const choice = (delta: Json, finish: string | null = null): JsonObject => ({
    ...head,
    choices: [{ index: 0, finish_reason: finish, delta }],
  })
  const call = { index: 0, id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } }
  const expected = [
    choice({ role: 'assistant', content: '' }),
    choice({ content: 'pöng' }),
    choice({ tool_calls: [call] }),
    choice({}, 'tool_calls'),
    { ...head, choices: [], usage: { completion_tokens: 2, prompt_tokens: 5, total_tokens: 7 } },
  ]
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 8 }), (splits) => {
      assert.deepEqual(read(opened('chat'), CHAT_STREAM, splits), expected)
    }),
    { numRuns: 60 },
  )
})

test('a streamed text is a streamed completion, however it is cut', () => {
  const head = { id: '', object: 'text_completion', created: 1_689_958_352, model: 'g' }
  const choice = (text: string, finish: string | null): JsonObject => ({
    ...head,
    choices: [{ index: 0, text, finish_reason: finish, logprobs: null }],
  })
  const expected = [
    choice('', null),
    choice('pö', null),
    choice('ng', 'length'),
    { ...head, choices: [], usage: { prompt_tokens: 8, completion_tokens: 2, total_tokens: 10 } },
  ]
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 8 }), (splits) => {
      assert.deepEqual(read(opened('completion'), TEXT_STREAM, splits), expected)
    }),
    { numRuns: 60 },
  )
})

test('a stream that ends early, or with an error, is no good stream', () => {
  const cases: readonly (readonly ['chat' | 'completion', string, string])[] = [
    ['chat', CHAT_STREAM.split(/(?<=\n\n)/)[0] ?? '', 'cut'],
    ['chat', 'data: {"errors":[{"code":"x","message":"busy"}]}\n\n', 'server_error'],
    ['chat', 'data: {"id":"1"}\n\n', 'wrong_shape'],
    ['chat', 'data: oops\n\n', 'wrong_shape'],
    ['completion', TEXT_STREAM.split(/(?<=\n\n)/)[0] ?? '', 'cut'],
    ['chat', 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}\n\n', 'server_error'],
    ['completion', 'data: {"results":[{"generated_text":"","stop_reason":"error"}]}\n\n', 'server_error'],
    ['completion', 'data: {"results":[{"generated_text":"","stop_reason":"cancelled"}]}\n\n', 'server_error'],
    ['completion', 'data: {"errors":[{"message":"busy"}]}\n\n', 'server_error'],
    ['completion', 'data: {}\n\n', 'wrong_shape'],
  ]
  for (const [mode, text, kind] of cases) assert.throws(() => read(opened(mode), text), { kind }, text)
})

test('the credential is what is written, then what the environment says', async () => {
  const table: readonly (readonly [Partial<Connection>, Readonly<Record<string, string>>, string])[] = [
    [{ secrets: { token: new Secret('t1') } }, { WATSONX_TOKEN: 't2' }, 'Bearer t1'],
    [{ secrets: { zen_api_key: new Secret('zen') } }, {}, 'ZenApiKey zen'],
    [{}, { WATSONX_TOKEN: 't2', WATSONX_ZENAPIKEY: 'z' }, 'Bearer t2'],
    [{}, { WATSONX_ZENAPIKEY: 'z', WATSONX_APIKEY: 'k' }, 'ZenApiKey z'],
    [{ headers: { authorization: new Secret('Bearer own') } }, { WATSONX_TOKEN: 't2' }, 'Bearer own'],
    [{ apiKey: new Secret('the-key') }, { WATSONX_TOKEN: 't2' }, 'Bearer iam-token'],
    [{}, { WATSONX_API_KEY: 'the-key' }, 'Bearer iam-token'],
  ]
  for (const [connection, env, expected] of table) {
    const forms: WireRequest[] = []
    const { authorize } = connected({ ...PROJECT, ...connection }, undefined, undefined, env)
    const sent = await authorize(
      { method: 'GET', url: BASE, headers: {} },
      groundOn({
        send: (wire) => {
          forms.push(wire)
          const body = { access_token: 'iam-token', expires_in: 3_600, token_type: 'Bearer' }
          return Promise.resolve(answerOf(body))
        },
      }),
    )
    assert.equal(sent.headers['authorization'], expected)
    assert.equal(forms.length, expected === 'Bearer iam-token' ? 1 : 0)
    for (const { url, body } of forms) {
      assert.equal(url, 'https://iam.cloud.ibm.com/identity/token')
      assert.equal(body, 'grant_type=urn%3Aibm%3Aparams%3Aoauth%3Agrant-type%3Aapikey&apikey=the-key')
    }
  }
})

test('a refused key is named, not shown', async () => {
  const { authorize } = connected({ ...PROJECT, apiKey: new Secret('the-secret-key') })
  const body = {
    errorCode: 'BXNIM0415E',
    errorMessage: 'Provided API key could not be found: the-secret-key',
    context: { requestId: '1' },
  }
  const ground = groundOn({ send: () => Promise.resolve({ ...answerOf(body), status: 400 }) })
  await assert.rejects(async () => authorize({ method: 'GET', url: BASE, headers: {} }, ground), {
    kind: 'auth',
    message:
      'no token: IBM Cloud IAM at https://iam.cloud.ibm.com/identity/token answered 400 and refused the api_key (BXNIM0415E): Provided API key could not be found: [secret]',
  })
})

test('what is missing is said', () => {
  const connect = (connection: Partial<Connection>, env = {}): unknown =>
    watsonx.connect(deploymentOf('watsonx', { connection: { headers: {}, ...connection } }), env)
  assert.deepEqual(connect({ ...PROJECT, apiBase: BASE }), {
    message:
      'no API key: set api_key in litellm_params, or WATSONX_APIKEY or WATSONX_API_KEY or WX_API_KEY or WATSONX_TOKEN or WATSONX_ZENAPIKEY in the environment',
  })
  assert.deepEqual(connect({ apiBase: BASE, apiKey: new Secret('k') }), {
    message:
      'no project: set project_id or space_id in litellm_params, or WATSONX_PROJECT_ID or WATSONX_SPACE_ID in the environment',
  })
  assert.deepEqual(connect({ ...PROJECT, apiKey: new Secret('k') }), {
    message:
      'no address: set api_base in litellm_params, or WATSONX_API_BASE or WATSONX_URL or WX_URL or WML_URL in the environment',
  })
  const regional = connect({ ...PROJECT, apiKey: new Secret('k') }, { WATSONX_REGION: 'eu-de' })
  assert.equal(
    Reflect.get(Object(Reflect.get(Object(regional), 'target')), 'base'),
    'https://eu-de.ml.cloud.ibm.com',
  )
})

test('an answer that broke off is none, and one that ran out of time is short', () => {
  const { chat } = watsonx.codecs
  assert.ok(chat !== 'unsupported')
  const decoded = (finish: string) => {
    const message = { role: 'assistant', content: 'po' }
    const body = { id: 'c', model_id: 'm', choices: [{ index: 0, message, finish_reason: finish }] }
    return chat.decode(answerOf(body), targetOf()).choices[0]?.finish_reason
  }
  assert.deepEqual(['stop', 'length', 'tool_calls', 'time_limit'].map(decoded), [
    'stop',
    'length',
    'tool_calls',
    'length',
  ])
  for (const finish of ['error', 'cancelled'])
    assert.throws(() => decoded(finish), {
      kind: 'server_error',
      message: `answered 200 with finish_reason ${finish}`,
    })
  const late = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"time_limit"}]}\n\n'
  const [chunk] = read(opened('chat'), late)
  assert.partialDeepStrictEqual(chunk, { choices: [{ finish_reason: 'length' }] })
})
