import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Connection } from '../../core/deployment.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ChatChunk } from '../../core/mode.ts'
import { Secret } from '../../core/secret.ts'
import type { WireRequest } from '../../transport/wire.ts'
import { answerOf, deploymentOf } from '../adapter.contract.ts'
import type { Codec, Connected, StreamDecoder, Target } from '../adapter.ts'
import { databricks } from './adapter.ts'
import type { AuthGround } from '../auth/ground.ts'
import { groundOn } from '../auth/ground.fixture.ts'

const BASE = 'https://dbc-1.cloud.databricks.com/serving-endpoints'

function connect(
  connection: Partial<Connection>,
  env: Readonly<Record<string, string>> = {},
): ReturnType<typeof databricks.connect> {
  return databricks.connect(deploymentOf('databricks', { connection: { headers: {}, ...connection } }), env)
}

function connected(...given: Parameters<typeof connect>): Connected {
  const result = connect(...given)
  assert.ok('authorize' in result, 'message' in result ? result.message : '')
  return result
}

function chat(): Codec<'chat'> {
  const { chat: codec } = databricks.codecs
  assert.ok(codec !== 'unsupported')
  return codec
}

const targetOf = (model = 'databricks-claude-sonnet-4'): Target => ({
  provider: 'databricks',
  model,
  base: BASE,
  bodyDefaults: {},
})

function bodyOf({ body }: WireRequest): unknown {
  assert.ok(typeof body === 'string')
  return JSON.parse(body)
}

function groundOf(asked: WireRequest[], status = 200, body: JsonObject = {}): AuthGround {
  const good = { access_token: 'oauth-token', token_type: 'Bearer', expires_in: 3_600, scope: 'all-apis' }
  return groundOn({
    send: (wire) => {
      asked.push(wire)
      return Promise.resolve({ ...answerOf(status === 200 ? good : body), status })
    },
  })
}

const CLIENT = { settings: { client_id: 'app-1' }, secrets: { client_secret: new Secret('dose-secret') } }
const GET: WireRequest = { method: 'GET', url: BASE, headers: {} }

test('an application gets its token from the workspace', async () => {
  const asked: WireRequest[] = []
  const { authorize } = connected({ ...CLIENT, apiBase: BASE }, { DATABRICKS_API_KEY: 'dapi-env' })
  const sent = await authorize(GET, groundOf(asked))
  assert.deepEqual(sent.headers, { authorization: 'Bearer oauth-token' })
  assert.deepEqual(asked, [
    {
      method: 'POST',
      url: 'https://dbc-1.cloud.databricks.com/oidc/v1/token',
      headers: {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from('app-1:dose-secret').toString('base64')}`,
      },
      body: 'grant_type=client_credentials&scope=all-apis',
    },
  ])
})

test('a refused application is named, and its secret not shown', async () => {
  const body = { error: 'invalid_client', error_description: 'Client authentication failed for dose-secret' }
  const { authorize } = connected({ ...CLIENT, apiBase: BASE })
  await assert.rejects(async () => authorize(GET, groundOf([], 401, body)), {
    kind: 'auth',
    message:
      'no token: Databricks at https://dbc-1.cloud.databricks.com/oidc/v1/token answered 401 and refused the client_id or client_secret (invalid_client): Client authentication failed for [secret]',
  })
})

test('what is written beats the environment, and a key beats an application', async () => {
  const OAUTH = { DATABRICKS_CLIENT_ID: 'app-2', DATABRICKS_CLIENT_SECRET: 'secret-2' }
  const table: readonly (readonly [Partial<Connection>, Readonly<Record<string, string>>, string])[] = [
    [{ ...CLIENT, apiKey: new Secret('dapi-1') }, {}, 'Bearer dapi-1'],
    [{}, { ...OAUTH, DATABRICKS_TOKEN: 'dapi-2' }, 'Bearer dapi-2'],
    [{}, OAUTH, 'Bearer oauth-token'],
    [{ headers: { authorization: new Secret('Bearer own') } }, OAUTH, 'Bearer own'],
  ]
  for (const [connection, env, expected] of table) {
    const { authorize } = connected({ apiBase: BASE, ...connection }, env)
    assert.equal((await authorize(GET, groundOf([]))).headers['authorization'], expected)
  }
  assert.deepEqual(connect({ apiBase: BASE, secrets: CLIENT.secrets }), {
    message:
      'client_secret needs a client_id: set it in litellm_params, or DATABRICKS_CLIENT_ID in the environment',
  })
  assert.deepEqual(connect({ apiBase: BASE }), {
    message:
      'no API key: set api_key in litellm_params, or DATABRICKS_API_KEY or DATABRICKS_TOKEN in the environment',
  })
})

test('a workspace alone stands for its serving endpoints', () => {
  const key = { apiKey: new Secret('dapi-1') }
  const table: readonly (readonly [Partial<Connection>, Readonly<Record<string, string>>, string])[] = [
    [{ apiBase: BASE }, {}, BASE],
    [{ apiBase: 'https://dbc-1.cloud.databricks.com' }, {}, BASE],
    [{}, { DATABRICKS_HOST: 'dbc-1.cloud.databricks.com' }, BASE],
    [{}, { DATABRICKS_HOST: 'https://dbc-1.cloud.databricks.com/' }, BASE],
    [{}, { DATABRICKS_API_BASE: BASE, DATABRICKS_HOST: 'https://other.test' }, BASE],
    [{ apiBase: 'https://w.test/ai-gateway/mlflow/v1' }, {}, 'https://w.test/ai-gateway/mlflow/v1'],
  ]
  for (const [connection, env, base] of table) {
    const { target } = connected({ ...key, ...connection }, env)
    assert.equal(target.base, base)
  }
  assert.equal(
    databricks.freeUrl?.(targetOf()),
    'https://dbc-1.cloud.databricks.com/api/2.0/serving-endpoints',
  )
})

const MESSAGES = [{ role: 'user', content: 'ping' }] as const
const CHATS: readonly (readonly [string, string, JsonObject, JsonObject, readonly string[]])[] = [
  ['the budget by its older name', 'llama', { max_completion_tokens: 5 }, { max_tokens: 5 }, []],
  ['what it may know', 'llama', { top_k: 3, seed: 1, n: 2 }, { top_k: 3, seed: 1, n: 2 }, []],
  [
    'nothing that changes no answer',
    'llama',
    { user: 'u', store: true, metadata: {}, parallel_tool_calls: true, stream_options: {} },
    {},
    [],
  ],
  ['which word is lost', 'llama', { parallel_tool_calls: false }, {}, ['parallel_tool_calls']],
  [
    'an effort as it is',
    'databricks-gpt-oss-20b',
    { reasoning_effort: 'low' },
    { reasoning_effort: 'low' },
    [],
  ],
  [
    'a budget to Claude',
    'databricks-claude-sonnet-4',
    { reasoning_effort: 'medium' },
    { thinking: { type: 'enabled', budget_tokens: 2_048 }, max_tokens: 6_144 },
    [],
  ],
  [
    'a budget that leaves something for the answer',
    'databricks-claude-sonnet-4',
    { reasoning_effort: 'high', max_tokens: 4_000 },
    { thinking: { type: 'enabled', budget_tokens: 2_000 }, max_tokens: 4_000 },
    [],
  ],
  [
    'no budget where there is no room',
    'databricks-claude-sonnet-4',
    { reasoning_effort: 'low', max_tokens: 100 },
    { max_tokens: 100 },
    ['reasoning_effort'],
  ],
  [
    'its own budget',
    'databricks-claude-sonnet-4',
    { thinking: { type: 'enabled', budget_tokens: 3_000 }, max_tokens: 9_000, reasoning_effort: 'low' },
    { thinking: { type: 'enabled', budget_tokens: 3_000 }, max_tokens: 9_000 },
    [],
  ],
]
for (const [what, model, asked, said, dropped] of CHATS) {
  test(`a chat says ${what}`, () => {
    const { dropped: lost = [], ...wire } = chat().encode({ messages: MESSAGES, ...asked }, targetOf(model))
    assert.deepEqual(bodyOf(wire), { ...said, messages: MESSAGES, model })
    assert.deepEqual(lost, dropped)
    assert.equal(wire.url, `${BASE}/chat/completions`)
  })
}

const REASONING = {
  type: 'reasoning',
  summary: [{ type: 'summary_text', text: 'hm', signature: 'sig-1' }],
} as const

test('thoughts come and go as the model gave them', () => {
  const answer = chat().decode(
    answerOf({
      id: 'c1',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: [REASONING, { type: 'text', text: 'pong' }] },
          finish_reason: 'stop',
        },
      ],
    }),
    targetOf(),
  )
  const message = {
    role: 'assistant',
    content: 'pong',
    reasoning_content: 'hm',
    thinking_blocks: [{ type: 'thinking', thinking: 'hm', signature: 'sig-1' }],
  }
  assert.deepEqual(answer.choices[0]?.message, message)
  const sent = bodyOf(chat().encode({ messages: [...MESSAGES, message] }, targetOf()))
  assert.deepEqual(Reflect.get(Object(sent), 'messages'), [
    ...MESSAGES,
    { role: 'assistant', content: [REASONING, { type: 'text', text: 'pong' }] },
  ])
})

test('a list of nothing but texts is a text, and pictures stay in their list', () => {
  const text = { type: 'text', text: 'see' }
  const picture = { type: 'image_url', image_url: { url: 'https://pictures.test/1.png' } }
  const cached = { ...text, cache_control: { type: 'ephemeral' } }
  const { dropped, ...wire } = chat().encode(
    {
      messages: [
        { role: 'developer', content: [text, text] },
        { role: 'user', name: 'ann', content: [text, picture] },
        { role: 'user', content: [cached] },
      ],
    },
    targetOf(),
  )
  assert.deepEqual(Reflect.get(Object(bodyOf(wire)), 'messages'), [
    { role: 'system', content: 'seesee' },
    { role: 'user', content: [text, picture] },
    { role: 'user', content: [cached] },
  ])
  assert.deepEqual(dropped, ['messages[].name'])
})

/** Written from https://docs.databricks.com/machine-learning/model-serving/query-reason-models (read 2026-11-27). */
const STREAM = [
  'data: {"id":"s","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":[{"type":"reasoning","summary":[{"type":"summary_text","text":"hm"}]}]},"finish_reason":null}],"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6}}\n\n',
  'data: {"id":"s","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"pöng"},"finish_reason":null}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}\n\n',
  'data: {"id":"s","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}\n\n',
  'data: [DONE]\n\n',
].join('')

function read(text: string, splits: readonly number[] = []): readonly ChatChunk[] {
  const decoder: StreamDecoder<ChatChunk> | undefined = chat().openStream?.(targetOf())
  assert.ok(decoder !== undefined)
  const bytes = Buffer.from(text)
  const events: ChatChunk[] = []
  let from = 0
  for (const cut of [...splits.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    events.push(...decoder.push(bytes.subarray(from, cut)))
    from = cut
  }
  return [...events, ...decoder.end()]
}

test('a stream tells thoughts, words, and its usage once, however it is cut', () => {
  const head = { id: 's', object: 'chat.completion.chunk', created: 1, model: 'm' }
  const choice = (delta: JsonObject, finish: string | null = null): JsonObject => ({
    ...head,
    choices: [{ index: 0, delta, finish_reason: finish }],
  })
  const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 }
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 8 }), (splits) => {
      assert.deepEqual(read(STREAM, splits), [
        choice({ role: 'assistant', content: '', reasoning_content: 'hm' }),
        choice({ content: 'pöng' }),
        choice({ content: '' }, 'stop'),
        { ...head, choices: [], usage },
      ])
    }),
    { numRuns: 60 },
  )
  for (const [text, kind] of [
    [STREAM.split(/(?<=\n\n)/)[0] ?? '', 'cut'],
    ['data: {"error_code":"INTERNAL_ERROR","message":"busy"}\n\n', 'server_error'],
    ['data: {"id":"1"}\n\n', 'wrong_shape'],
  ] as const)
    assert.throws(() => read(text), { kind }, text)
})

test('what was written as nothing is not sent: it is refused as any extra input', () => {
  const { body } = chat().encode(
    { messages: [], seed: null, logit_bias: null, tools: null, temperature: 0 },
    targetOf(),
  )
  assert.deepEqual(JSON.parse(String(body)), {
    messages: [],
    model: 'databricks-claude-sonnet-4',
    temperature: 0,
  })
})
