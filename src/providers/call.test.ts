import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { test } from 'node:test'
import { WebSocketServer, type WebSocket } from 'ws'
import type { Connection } from '../core/deployment.ts'
import { GatewayError } from '../core/failure.ts'
import { createRedact, Secret } from '../core/secret.ts'
import { createTransport } from '../transport/transport.ts'
import type { Limits } from '../transport/wire.ts'
import { CONTRACT_KEY, deploymentOf, REQUESTS } from './adapter.contract.ts'
import { encode, exchange, openLine, openRealtime, type Line } from './call.ts'
import { sentRequest } from './sent-request.ts'
import { allAdapters } from './registry.ts'

await allAdapters()

const LIMITS: Limits = { timeoutMs: 5_000, maxBytes: 100_000 }
const NOWHERE = createTransport()
const silent = (text: string): string => text

function lineOf(
  provider: string,
  more: Parameters<typeof deploymentOf>[1] = {},
  env: Record<string, string> = {},
  transport = NOWHERE,
): Line {
  const opened = openLine(deploymentOf(provider, more), { transport, env, redact: silent })
  assert.ok('line' in opened, JSON.stringify(opened))
  return opened.line
}

function problemOf(provider: string, connection: Connection, env: Record<string, string> = {}): string {
  const opened = openLine(deploymentOf(provider, { connection }), { transport: NOWHERE, env, redact: silent })
  assert.ok('misconfigured' in opened)
  return opened.misconfigured.message
}

async function withUpstream(
  listener: RequestListener,
  run: (url: string, transport: ReturnType<typeof createTransport>) => Promise<void>,
  onSocket?: (socket: WebSocket) => void,
): Promise<void> {
  const server = createServer(listener)
  const sockets = new WebSocketServer({ noServer: true })
  if (onSocket !== undefined)
    server.on('upgrade', (request, socket, head) => sockets.handleUpgrade(request, socket, head, onSocket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const transport = createTransport()
  try {
    await run(`http://127.0.0.1:${address.port}`, transport)
  } finally {
    await transport.close()
    for (const socket of sockets.clients) socket.terminate()
    await new Promise((resolve) => server.close(resolve))
  }
}

const keyed = (apiBase: string): Connection => ({ apiKey: new Secret(CONTRACT_KEY), apiBase, headers: {} })

type Problem = readonly [string, Connection, Record<string, string>, string]

const PROBLEMS: readonly Problem[] = [
  [
    'openai',
    { headers: {} },
    {},
    'no API key: set api_key in litellm_params, or OPENAI_API_KEY in the environment',
  ],
  [
    'azure',
    keyed(''),
    {},
    'no address: set api_base in litellm_params, or AZURE_API_BASE or AZURE_OPENAI_ENDPOINT in the environment',
  ],
  [
    'azure',
    { apiBase: 'https://a.test', headers: {} },
    {},
    'no API key: set api_key, client_secret or azure_ad_token in litellm_params, or AZURE_API_KEY or AZURE_OPENAI_API_KEY or AZURE_AD_TOKEN in the environment',
  ],
  [
    'azure',
    { apiBase: 'https://a.test', azureAdToken: new Secret('oidc/github/x'), headers: {} },
    {},
    'azure_ad_token "oidc/github/…" is not supported: write oidc/env/<variable> or oidc/file/<path>, or use a client_secret or an api_key',
  ],
  [
    'hosted_vllm',
    { headers: {} },
    {},
    'no address: set api_base in litellm_params, or HOSTED_VLLM_API_BASE in the environment',
  ],
  [
    'cloudflare',
    { apiKey: new Secret(CONTRACT_KEY), headers: {} },
    {},
    'no address: set api_base in litellm_params, or CLOUDFLARE_API_BASE or CLOUDFLARE_ACCOUNT_ID in the environment',
  ],
  [
    'openai',
    keyed('my-host/v1'),
    {},
    '"my-host/v1" is no address that can be called: api_base needs http:// or https://, a host, and no spaces',
  ],
  [
    'openai',
    keyed('http://h/v 1'),
    {},
    '"http://h/v 1" is no address that can be called: api_base needs http:// or https://, a host, and no spaces',
  ],
  ...(
    [
      ['x y', '1', '"x y" is no name of an HTTP header: see extra_headers'],
      ['content-length', '3', 'the header "content-length" is set for each request as it is sent: '],
      [
        'transfer-encoding',
        'chunked',
        'the header "transfer-encoding" is set for each request as it is sent: ',
      ],
      ['connection', 'upgrade', 'the header "connection" is set for each request as it is sent: '],
    ] as const
  ).map(([name, value, message]): Problem => [
    'openai',
    { ...keyed('http://h/v1'), headers: { [name]: new Secret(value) } },
    {},
    message.endsWith(' ') ? `${message}remove it from extra_headers` : message,
  ]),
  [
    'openai',
    { ...keyed('http://h/v1'), apiKey: new Secret('sk-line\n') },
    {},
    'the value for the header "authorization" holds a line break or a character that no HTTP header may carry',
  ],
  ['palm', keyed('http://h'), {}, 'provider "palm" is not built yet'],
]

for (const [provider, connection, env, message] of PROBLEMS) {
  test(`${provider} says what is missing: ${message}`, () =>
    assert.equal(problemOf(provider, connection, env), message))
}

const CREDENTIALS: readonly (readonly [
  string,
  Connection,
  Record<string, string>,
  Record<string, string>,
])[] = [
  [
    'openai',
    { apiBase: 'http://h/v1', apiKey: new Secret('none'), headers: {} },
    {},
    { authorization: 'Bearer none' },
  ],
  [
    'openai',
    { headers: {}, organization: new Secret('org-1') },
    { OPENAI_API_KEY: 'sk-env' },
    { authorization: 'Bearer sk-env', 'openai-organization': 'org-1' },
  ],
  ['openai', { headers: { authorization: new Secret('Basic x') } }, {}, { authorization: 'Basic x' }],
  [
    'azure',
    { apiBase: 'http://h', azureAdToken: new Secret('tok'), headers: {} },
    { AZURE_API_KEY: 'env' },
    { authorization: 'Bearer tok' },
  ],
  ['azure', { apiBase: 'http://h', headers: {} }, { AZURE_OPENAI_API_KEY: 'env' }, { 'api-key': 'env' }],
  ['hosted_vllm', { apiBase: 'http://h/v1', headers: {} }, {}, { authorization: 'Bearer fake-api-key' }],
  ['lemonade', { headers: {} }, {}, {}],
  ['sarvam', { headers: {} }, { SARVAM_API_KEY: 's' }, { 'api-subscription-key': 's' }],
  ['together_ai', { headers: {} }, { TOGETHER_AI_TOKEN: 't' }, { authorization: 'Bearer t' }],
  [
    'together_ai',
    { headers: {} },
    { TOGETHERAI_API_KEY: 'old', TOGETHER_API_KEY: 'new' },
    { authorization: 'Bearer new' },
  ],
]

const ACCOUNT = 'https://api.cloudflare.com/client/v4/accounts/0a1b'
const CLOUDFLARE_BASES: readonly (readonly [string, Connection, Record<string, string>])[] = [
  ['the account of the environment', { headers: {} }, { CLOUDFLARE_ACCOUNT_ID: '0a1b' }],
  ['an address of its OpenAI routes', { apiBase: `${ACCOUNT}/ai/v1`, headers: {} }, {}],
  ['an address of its own routes', { apiBase: `${ACCOUNT}/ai/run/`, headers: {} }, {}],
]

for (const [what, connection, env] of CLOUDFLARE_BASES) {
  test(`${what} is enough to find Cloudflare's chat`, () => {
    const line = lineOf('cloudflare', { connection }, { ...env, CLOUDFLARE_API_KEY: 'k' })
    assert.equal(encode(line, 'chat', REQUESTS.chat).url, `${ACCOUNT}/ai/v1/chat/completions`)
  })
}

for (const [provider, connection, env, headers] of CREDENTIALS) {
  test(`${provider} sends ${JSON.stringify(headers)}`, async () => {
    const wire = await lineOf(provider, { connection }, env).authorize({
      method: 'GET',
      url: 'http://h',
      headers: {},
    })
    assert.deepEqual(wire.headers, headers)
  })
}

test('a refusal says which deployment, what was tried and what came back, without secrets', () =>
  withUpstream(
    (request, response) => {
      const echoed = `Bearer ${CONTRACT_KEY} / ${String(request.headers['x-team'])}`
      response
        .writeHead(401, { 'x-request-id': 'r1' })
        .end(JSON.stringify({ error: { message: `bad: ${echoed}`, code: 'invalid_api_key' } }))
    },
    async (url, transport) => {
      const line = lineOf(
        'openai',
        { connection: { ...keyed(`${url}/v1`), headers: { 'x-team': new Secret('team-secret') } } },
        {},
        transport,
      )
      const wire = encode(line, 'chat', REQUESTS.chat)
      await assert.rejects(exchange(line, 'chat', wire, LIMITS, REQUESTS.chat), (error) => {
        assert.ok(error instanceof GatewayError)
        assert.equal(error.kind, 'auth')
        assert.equal(error.exceptionStatus, 401)
        assert.equal(
          error.message,
          `deployment "gpt-4o" (65f20bd97dac): POST ${url}/v1/chat/completions: answered 401 (invalid_api_key): bad: Bearer [secret] / [secret]`,
        )
        return true
      })
    },
  ))

test('an address of the environment gives its user, password and query to the authorizer alone', async () => {
  for (const [provider, variable] of [
    ['openai', 'OPENAI_API_BASE'],
    ['azure', 'AZURE_API_BASE'],
  ] as const) {
    const env = { [variable]: 'https://user:p%40ss-word@h.test/x?sig=query-secret' }
    const line = lineOf(provider, { connection: { headers: {}, apiKey: new Secret(CONTRACT_KEY) } }, env)
    assert.equal(line.target.base, 'https://h.test/x')
    const { url, headers } = await line.authorize({ method: 'GET', url: 'https://h.test/x/y', headers: {} })
    assert.equal(url, 'https://h.test/x/y?sig=query-secret')
    assert.equal(headers['authorization'], 'Basic dXNlcjpwQHNzLXdvcmQ=')
    assert.equal(line.redact('query-secret, p@ss-word'), '[secret], [secret]')
  }
})

for (const [name, body, kind] of [
  ['a refusal', { status: 400, text: `${'x'.repeat(495)}${CONTRACT_KEY}` }, 'bad_request'],
  ['a strange answer', { status: 200, text: `${'x'.repeat(75)}${CONTRACT_KEY}` }, 'wrong_shape'],
] as const)
  test(`${name} that is quoted up to the middle of a secret shows no part of it`, () =>
    withUpstream(
      (_, response) => response.writeHead(body.status).end(body.text),
      async (url, transport) => {
        const line = lineOf('openai', { connection: keyed(`${url}/v1`) }, {}, transport)
        await assert.rejects(
          exchange(line, 'chat', encode(line, 'chat', REQUESTS.chat), LIMITS, REQUESTS.chat),
          (error) => {
            assert.ok(error instanceof GatewayError)
            assert.equal(error.kind, kind)
            assert.match(error.message, /x\[secr?e?t?\]?…?$/)
            return true
          },
        )
      },
    ))

test('a key from the environment is blotted out of echoes too', () =>
  withUpstream(
    (request, response) =>
      response.setHeader('x-echo', String(request.headers.authorization)).end('{"text":"hello"}'),
    async (url, transport) => {
      const line = lineOf(
        'openai',
        { connection: { apiBase: `${url}/v1`, headers: {} } },
        { OPENAI_API_KEY: 'sk-environment' },
        transport,
      )
      const answer = await exchange(
        line,
        'audio_transcription',
        encode(line, 'audio_transcription', REQUESTS.audio_transcription),
        LIMITS,
        REQUESTS.audio_transcription,
      )
      assert.deepEqual(answer.value, { text: 'hello' })
      assert.equal(answer.headers['x-echo'], 'Bearer [secret]')
    },
  ))

test('our own deadline says so first', () =>
  withUpstream(
    () => {},
    async (url, transport) => {
      const line = lineOf('openai', { connection: keyed(`${url}/v1`) }, {}, transport)
      await assert.rejects(
        exchange(
          line,
          'batch',
          encode(line, 'batch', { limit: 1 }),
          { ...LIMITS, timeoutMs: 20 },
          { limit: 1 },
        ),
        {
          kind: 'timeout',
          exceptionStatus: 408,
          message: `Timeout exceeded: deployment "gpt-4o" (65f20bd97dac): GET ${url}/v1/batches: no whole answer within 20 ms (waiting for headers)`,
        },
      )
    },
  ))

test('a mode that the provider does not have is a mistake in the config: nothing is sent', () => {
  assert.throws(() => encode(lineOf('cohere'), 'batch', REQUESTS.batch), {
    kind: 'misconfigured',
    message: /provider "cohere" has no batch/,
  })
  assert.throws(() => encode(lineOf('azure'), 'rerank', REQUESTS.rerank), {
    kind: 'misconfigured',
    message: /provider "azure" has no rerank/,
  })
})

const SESSIONS: readonly (readonly [
  string,
  (socket: WebSocket) => void,
  { readonly kind: string; readonly message: RegExp } | 'proven',
])[] = [
  ['a greeting', (socket) => socket.send('{"type":"session.created","session":{}}'), 'proven'],
  [
    'a greeting after another event',
    (socket) =>
      ['{"type":"rate_limits.updated"}', '{"type":"session.created"}'].forEach((event) => socket.send(event)),
    'proven',
  ],
  [
    'an error and a close',
    (socket) => {
      socket.send(
        '{"type":"error","error":{"type":"invalid_request_error","code":"beta_api_shape_disabled","message":"gone"}}',
      )
      socket.close(4000)
    },
    { kind: 'bad_request', message: /the session opened with an error \(beta_api_shape_disabled\): gone/ },
  ],
  [
    "an error of the server's own",
    (socket) =>
      socket.send(
        '{"type":"error","error":{"type":"server_error","code":"internal_error","message":"oops"}}',
      ),
    { kind: 'server_error', message: /the session opened with an error \(internal_error\): oops/ },
  ],
  [
    'binary garbage',
    (socket) => socket.send(Buffer.of(1, 2, 255)),
    { kind: 'wrong_shape', message: /no realtime event/ },
  ],
  ['a close', (socket) => socket.close(1011), { kind: 'cut', message: /1011/ }],
]

for (const [what, onSocket, outcome] of SESSIONS) {
  test(`a realtime session that opens with ${what} is ${outcome === 'proven' ? 'proven' : outcome.kind}`, () =>
    withUpstream(
      () => {},
      async (url, transport) => {
        const line = lineOf('azure', { connection: keyed(url) }, {}, transport)
        if (outcome === 'proven') await openRealtime(line, LIMITS)
        else await assert.rejects(openRealtime(line, LIMITS), outcome)
      },
      onSocket,
    ))
}

test('what was sent is shown also where no token was to be had', async () => {
  const connection = {
    apiBase: 'http://h',
    headers: {},
    settings: { tenant_id: 't', client_id: 'c' },
    secrets: { client_secret: new Secret('the-secret') },
  }
  const line = lineOf('azure', { connection }, { AZURE_AUTHORITY_HOST: 'http://127.0.0.1:9' })
  const shown = sentRequest(line, encode(line, 'chat', REQUESTS.chat))
  assert.deepEqual(Object.keys(shown.headers), ['accept', 'content-type'])
  await assert.rejects(async () => line.authorize({ method: 'GET', url: 'http://h', headers: {} }), {
    kind: 'server_error',
  })
})

test('what was sent is shown without any header value, and a form by its parts', () => {
  const line = lineOf('azure', { connection: keyed('http://h') })
  const sent = sentRequest(line, encode(line, 'audio_transcription', REQUESTS.audio_transcription))
  assert.equal(sent.url, 'http://h/openai/deployments/the-model/audio/transcriptions?api-version=2024-10-21')
  assert.deepEqual(sent.body['multipart'], ['model', 'response_format', 'file'])
  assert.deepEqual(sent.headers, { accept: '[secret]', 'content-type': '[secret]', 'api-key': '[secret]' })
})

test('defaults of the deployment go into open bodies and only known ones into strict bodies', () => {
  const line = lineOf('openai', {
    bodyDefaults: { guided_json: { a: 1 }, dimensions: 8, stream: true, max_tokens: 99 },
  })
  const body = (wire: { readonly body?: unknown }): unknown => JSON.parse(String(wire.body))
  assert.deepEqual(body(encode(line, 'chat', { messages: [], max_completion_tokens: 5 })), {
    model: 'the-model',
    messages: [],
    max_completion_tokens: 5,
    guided_json: { a: 1 },
    dimensions: 8,
  })
  assert.deepEqual(body(encode(line, 'embedding', { input: ['a'] })), {
    model: 'the-model',
    input: ['a'],
    dimensions: 8,
  })
  assert.deepEqual(body(encode(line, 'audio_speech', { input: 'a', voice: 'alloy' })), {
    model: 'the-model',
    input: 'a',
    voice: 'alloy',
  })
})

test('secrets of the config and of the deployment are both redacted', () => {
  const opened = openLine(deploymentOf('openai'), {
    transport: NOWHERE,
    env: {},
    redact: createRedact([new Secret('master-key')]),
  })
  assert.ok('line' in opened)
  assert.equal(opened.line.redact(`master-key ${CONTRACT_KEY}`), '[secret] [secret]')
})
