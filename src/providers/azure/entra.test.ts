import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Connection } from '../../core/deployment.ts'
import { GatewayError } from '../../core/failure.ts'
import { Secret } from '../../core/secret.ts'
import type { Limits, WireRequest, WireResponse } from '../../transport/wire.ts'
import { deploymentOf } from '../adapter.contract.ts'
import type { Connected } from '../adapter.ts'
import { azure } from './adapter.ts'
import type { AuthGround } from '../auth/ground.ts'
import { groundOn } from '../auth/ground.fixture.ts'

const BASE = 'https://res.openai.azure.com'
const HOUR_MS = 3_600_000
const IDS = { AZURE_TENANT_ID: 'env-tenant', AZURE_CLIENT_ID: 'env-client' }
const REQUEST: WireRequest = { method: 'POST', url: `${BASE}/x`, headers: { accept: 'a' } }

/** A network of one token endpoint, and a clock that is wound by hand. */
interface Scene {
  readonly ground: AuthGround
  readonly asked: { readonly wire: WireRequest; readonly limits: Limits }[]
  /** The next answers; the last one stays. */
  readonly answers: (WireResponse | GatewayError)[]
  now: number
}

function scene(...answers: (WireResponse | GatewayError)[]): Scene {
  const asked: Scene['asked'] = []
  const here: Scene = {
    asked,
    answers,
    now: 1_000_000,
    ground: groundOn(
      {
        send: async (wire, limits) => {
          asked.push({ wire, limits })
          await Promise.resolve()
          const answer = answers.length > 1 ? answers.shift() : answers[0]
          assert.ok(answer !== undefined)
          if (answer instanceof Error) throw answer
          return answer
        },
      },
      () => here.now,
    ),
  }
  return here
}

function answerOf(status: number, body: object): WireResponse {
  return { status, headers: {}, body: Buffer.from(JSON.stringify(body)) }
}

const tokenOf = (token: string, lifeS: number | string = 3_600): WireResponse =>
  answerOf(200, { token_type: 'Bearer', expires_in: lifeS, access_token: token })

function connect(
  more: Omit<Partial<Connection>, 'headers'> & { readonly headers?: Connection['headers'] },
  env: Readonly<Record<string, string>> = {},
): ReturnType<typeof azure.connect> {
  const connection = { apiBase: BASE, headers: {}, ...more }
  return azure.connect(deploymentOf('azure', { connection }), env)
}

function connected(...given: Parameters<typeof connect>): Connected {
  const result = connect(...given)
  assert.ok('authorize' in result, 'message' in result ? result.message : '')
  return result
}

function formOf(wire: WireRequest): Readonly<Record<string, string>> {
  assert.ok(typeof wire.body === 'string')
  return Object.fromEntries(new URLSearchParams(wire.body))
}

const SECRET_PARAMS = {
  settings: { tenant_id: 'my-tenant', client_id: 'my-client' },
  secrets: { client_secret: new Secret('my~secret') },
}
const CLIENT_FORM = {
  grant_type: 'client_credentials',
  client_id: 'my-client',
  client_secret: 'my~secret',
  scope: 'https://cognitiveservices.azure.com/.default',
}

test('an application gets its token with its secret, once', async () => {
  const { ground, asked } = scene(tokenOf('token-1'))
  const { authorize, freshSecrets } = connected(SECRET_PARAMS)
  const sent = await Promise.all([authorize(REQUEST, ground), authorize(REQUEST, ground)])
  for (const { headers } of sent) assert.deepEqual(headers, { accept: 'a', authorization: 'Bearer token-1' })
  assert.equal(asked.length, 1)
  assert.equal(asked[0]?.wire.url, 'https://login.microsoftonline.com/my-tenant/oauth2/v2.0/token')
  assert.deepEqual(formOf(asked[0].wire), CLIENT_FORM)
  assert.ok(asked[0].limits.timeoutMs <= 10_000)
  const later = authorize(REQUEST, ground)
  assert.ok(!(later instanceof Promise), 'a held token is given at once')
  assert.deepEqual(
    freshSecrets?.().map((secret) => secret.reveal()),
    ['token-1'],
  )
})

test('a key is sent without asking anybody, and without a promise', () => {
  const { authorize } = connected({ ...SECRET_PARAMS, apiKey: new Secret('the-key') })
  const sent = authorize(REQUEST, scene().ground)
  assert.ok(!(sent instanceof Promise))
  assert.deepEqual(sent.headers, { accept: 'a', 'api-key': 'the-key' })
})

test('a token is renewed while it is still good, and nobody waits for it', async () => {
  const here = scene(tokenOf('token-1'), tokenOf('token-2'))
  const { authorize } = connected(SECRET_PARAMS)
  await authorize(REQUEST, here.ground)
  here.now += HOUR_MS - 4 * 60_000
  const before = authorize(REQUEST, here.ground)
  assert.ok(!(before instanceof Promise))
  assert.equal(before.headers['authorization'], 'Bearer token-1')
  await new Promise(setImmediate)
  const after = authorize(REQUEST, here.ground)
  assert.ok(!(after instanceof Promise))
  assert.equal(after.headers['authorization'], 'Bearer token-2')
  assert.equal(here.asked.length, 2)
})

test('an outage of Entra ID is felt only when the token has expired', async () => {
  const down = new GatewayError('unreachable', 'connect ECONNREFUSED', { isUnsent: true })
  const here = scene(tokenOf('token-1'), down)
  const { authorize } = connected(SECRET_PARAMS)
  await authorize(REQUEST, here.ground)
  here.now += HOUR_MS - 2 * 60_000
  for (let times = 0; times < 3; times += 1) {
    const sent = authorize(REQUEST, here.ground)
    assert.ok(!(sent instanceof Promise))
    await new Promise(setImmediate)
  }
  assert.equal(here.asked.length, 2, 'a renewal that failed is not tried with every request')
  here.now += 2 * 60_000
  await assert.rejects(async () => authorize(REQUEST, here.ground), {
    // The deployment's own host is not to blame.
    kind: 'server_error',
    isUnsent: false,
    message:
      'no token from Entra ID at https://login.microsoftonline.com/my-tenant/oauth2/v2.0/token: connect ECONNREFUSED',
  })
})

test('what was refused is not asked for again at once', async () => {
  const here = scene(answerOf(401, { error: 'invalid_client' }), tokenOf('token-1'))
  const { authorize } = connected(SECRET_PARAMS)
  for (let times = 0; times < 3; times += 1)
    await assert.rejects(async () => authorize(REQUEST, here.ground), { kind: 'auth' })
  assert.equal(here.asked.length, 1)
  here.now += 1_000
  const sent = await authorize(REQUEST, here.ground)
  assert.equal(sent.headers['authorization'], 'Bearer token-1')
})

/** The sentences are Entra's; https://learn.microsoft.com/entra/identity-platform/reference-error-codes, 2026-11-27. */
const REFUSALS: readonly (readonly [string, number, object, RegExp])[] = [
  [
    'the secret',
    401,
    {
      error: 'invalid_client',
      error_description:
        "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app 'my-client'.\r\nTrace ID: 1\r\nTimestamp: 2026-11-27",
      error_codes: [7_000_215],
    },
    /answered 401 and refused the client_secret \(invalid_client\): AADSTS7000215: .* app 'my-client'\.$/,
  ],
  [
    'the application',
    400,
    {
      error: 'unauthorized_client',
      error_description: "AADSTS700016: Application with identifier 'my-client' was not found.",
    },
    /answered 400 and refused the client_id \(unauthorized_client\): AADSTS700016/,
  ],
  [
    'the tenant',
    400,
    { error: 'invalid_request', error_description: "AADSTS90002: Tenant 'my-tenant' not found." },
    /refused the tenant_id \(invalid_request\)/,
  ],
  [
    'the scope',
    400,
    { error: 'invalid_scope', error_description: "AADSTS70011: The provided value for 'scope' isn't valid." },
    /refused the azure_scope \(invalid_scope\)/,
  ],
  [
    'a secret that the answer repeats',
    401,
    { error: 'invalid_client', error_description: 'bad secret my~secret' },
    /refused the client_secret \(invalid_client\): bad secret \[secret\]$/,
  ],
]
for (const [what, status, body, expected] of REFUSALS) {
  test(`a refusal says what was refused: ${what}`, async () => {
    const { authorize } = connected(SECRET_PARAMS)
    await assert.rejects(
      async () => authorize(REQUEST, scene(answerOf(status, body)).ground),
      (error) => {
        assert.ok(error instanceof GatewayError)
        assert.equal(error.kind, 'auth')
        assert.match(error.message, expected)
        assert.equal(error.clientStatus, 401)
        return true
      },
    )
  })
}

test('a token endpoint that is out of order is no refusal', async () => {
  const cases: readonly (readonly [WireResponse, string])[] = [
    [answerOf(503, {}), 'overloaded'],
    [answerOf(500, { error: 'server_error' }), 'server_error'],
    [answerOf(429, {}), 'overloaded'],
    [answerOf(200, { token_type: 'Bearer' }), 'wrong_shape'],
    [{ status: 200, headers: {}, body: Buffer.from('<html>') }, 'wrong_shape'],
  ]
  for (const [answer, kind] of cases)
    await assert.rejects(async () => connected(SECRET_PARAMS).authorize(REQUEST, scene(answer).ground), {
      kind,
    })
})

interface Asked {
  readonly name: string
  readonly params: Parameters<typeof connect>[0]
  readonly env: Readonly<Record<string, string>>
  readonly url: string
  readonly form?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
}

const ASSERTION = {
  grant_type: 'client_credentials',
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  scope: 'https://cognitiveservices.azure.com/.default',
}
const ENV_URL = 'https://login.microsoftonline.com/env-tenant/oauth2/v2.0/token'

const WAYS: readonly Asked[] = [
  {
    name: 'ids, secret, authority and scope from the environment',
    params: {},
    env: {
      ...IDS,
      AZURE_CLIENT_SECRET: 'env-secret',
      AZURE_AUTHORITY_HOST: 'login.microsoftonline.us/',
      AZURE_SCOPE: 'https://ai.azure.com/.default',
    },
    url: 'https://login.microsoftonline.us/env-tenant/oauth2/v2.0/token',
    form: {
      grant_type: 'client_credentials',
      client_id: 'env-client',
      client_secret: 'env-secret',
      scope: 'https://ai.azure.com/.default',
    },
  },
  {
    name: 'what is written beats a key of the environment',
    params: { ...SECRET_PARAMS, settings: { ...SECRET_PARAMS.settings, azure_scope: 'api://x/.default' } },
    env: { AZURE_API_KEY: 'env-key' },
    url: 'https://login.microsoftonline.com/my-tenant/oauth2/v2.0/token',
    form: { ...CLIENT_FORM, scope: 'api://x/.default' },
  },
  {
    name: 'a secret beats a token that is written beside it',
    params: { ...SECRET_PARAMS, azureAdToken: new Secret('tok') },
    env: {},
    url: 'https://login.microsoftonline.com/my-tenant/oauth2/v2.0/token',
    form: CLIENT_FORM,
  },
  {
    name: 'a user and a password',
    params: {
      settings: { client_id: 'my-client' },
      secrets: { azure_username: new Secret('me@my.test'), azure_password: new Secret('pass word') },
    },
    env: {},
    url: 'https://login.microsoftonline.com/organizations/oauth2/v2.0/token',
    form: {
      grant_type: 'password',
      client_id: 'my-client',
      username: 'me@my.test',
      password: 'pass word',
      scope: 'https://cognitiveservices.azure.com/.default',
    },
  },
  {
    name: 'a federated token from a variable',
    params: { azureAdToken: new Secret('oidc/env/MY_JWT') },
    env: { ...IDS, MY_JWT: 'a.b.c' },
    url: ENV_URL,
    form: { ...ASSERTION, client_id: 'env-client', client_assertion: 'a.b.c' },
  },
  {
    name: 'a managed identity of App Service',
    params: {},
    env: { IDENTITY_ENDPOINT: 'http://127.0.0.1:41/msi/token', IDENTITY_HEADER: 'the-header' },
    url: 'http://127.0.0.1:41/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fcognitiveservices.azure.com',
    headers: { accept: 'application/json', 'x-identity-header': 'the-header' },
  },
  {
    name: "a machine's identity, one of several",
    params: { settings: { client_id: 'which' } },
    env: { AZURE_CREDENTIAL: 'ManagedIdentityCredential' },
    url: 'http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fcognitiveservices.azure.com&client_id=which',
    headers: { accept: 'application/json', metadata: 'true' },
  },
]
for (const { name, params, env, url, form, headers } of WAYS) {
  test(`a token is got with ${name}`, async () => {
    const { ground, asked } = scene(tokenOf('token-1', '3600'))
    await connected(params, env).authorize(REQUEST, ground)
    const [first] = asked
    assert.ok(first !== undefined)
    assert.equal(first.wire.url, url)
    if (form !== undefined) assert.deepEqual(formOf(first.wire), form)
    if (headers !== undefined) {
      assert.equal(first.wire.method, 'GET')
      assert.deepEqual(first.wire.headers, headers)
    }
  })
}

test('a federated token is read from its file each time, for it is renewed there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pulsegate-'))
  const path = join(folder, 'token')
  const ways: readonly (readonly [Parameters<typeof connect>[0], Readonly<Record<string, string>>])[] = [
    [{}, { ...IDS, AZURE_FEDERATED_TOKEN_FILE: path }],
    [{ azureAdToken: new Secret(`oidc/file/${path}`) }, IDS],
    [{ azureAdToken: new Secret('oidc/azure/any') }, { ...IDS, AZURE_FEDERATED_TOKEN_FILE: path }],
    [{ azureAdToken: new Secret('oidc/env_path/MINE') }, { ...IDS, MINE: path }],
  ]
  try {
    for (const [params, env] of ways) {
      const here = scene(tokenOf('token-1'), tokenOf('token-2'))
      const { authorize } = connected(params, env)
      for (const jwt of ['first.a.b', 'second.a.b']) {
        await writeFile(path, `${jwt}\n`)
        await authorize(REQUEST, here.ground)
        here.now += HOUR_MS
      }
      assert.deepEqual(
        here.asked.map(({ wire }) => formOf(wire)['client_assertion']),
        ['first.a.b', 'second.a.b'],
      )
    }
    await rm(path)
    await assert.rejects(
      async () =>
        connected({}, { ...IDS, AZURE_FEDERATED_TOKEN_FILE: path }).authorize(REQUEST, scene().ground),
      {
        kind: 'auth',
        message: `no token: the file ${path} of AZURE_FEDERATED_TOKEN_FILE cannot be read: ENOENT`,
      },
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

const PROBLEMS: readonly (readonly [
  Parameters<typeof connect>[0],
  Readonly<Record<string, string>>,
  string,
])[] = [
  [
    { secrets: SECRET_PARAMS.secrets },
    {},
    'client_secret needs a tenant_id: set it in litellm_params, or AZURE_TENANT_ID in the environment',
  ],
  [
    { secrets: SECRET_PARAMS.secrets, settings: { tenant_id: 't' } },
    {},
    'client_secret needs a client_id: set it in litellm_params, or AZURE_CLIENT_ID in the environment',
  ],
  [
    { azureAdToken: new Secret('oidc/env/GONE') },
    IDS,
    'the environment variable GONE of azure_ad_token oidc/env/ is not set',
  ],
  [
    { azureAdToken: new Secret('oidc/env/HERE') },
    { HERE: 'x' },
    'azure_ad_token "oidc/…" needs a tenant_id: set it in litellm_params, or AZURE_TENANT_ID in the environment',
  ],
  [SECRET_PARAMS, { AZURE_AUTHORITY_HOST: 'ftp://x' }, 'AZURE_AUTHORITY_HOST is no address: "ftp://x"'],
  // Nobody said that this machine has an identity: its service is not asked.
  [
    {},
    IDS,
    'no API key: set api_key, client_secret or azure_ad_token in litellm_params, or AZURE_API_KEY or AZURE_OPENAI_API_KEY or AZURE_AD_TOKEN in the environment',
  ],
]
for (const [params, env, message] of PROBLEMS) {
  test(`what is missing is said: ${message}`, () => assert.deepEqual(connect(params, env), { message }))
}

test('a key for one session takes the place of whoever gets tokens', () => {
  const keys = azure.realtimeKeys
  assert.ok(keys !== 'unsupported')
  const own = deploymentOf('azure', { connection: { apiBase: BASE, headers: {}, ...SECRET_PARAMS } })
  const result = azure.connect(keys.withKey(own, new Secret('ek_1')), {})
  assert.ok('authorize' in result)
  const sent = result.authorize(REQUEST, scene().ground)
  assert.ok(!(sent instanceof Promise))
  assert.equal(sent.headers['authorization'], 'Bearer ek_1')
})
