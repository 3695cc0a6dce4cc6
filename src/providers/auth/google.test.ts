import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { JsonObject } from '../../core/json.ts'
import { Secret } from '../../core/secret.ts'
import { createTransport } from '../../transport/transport.ts'
import type { WireRequest } from '../../transport/wire.ts'
import { deploymentOf } from '../adapter.contract.ts'
import type { Connected } from '../adapter.ts'
import { authorizedByGoogle } from './google.ts'
import { findGoogleCredentials, type GoogleCredentials } from './google-credentials.ts'
import { groundOn } from './ground.fixture.ts'

const PAIR = generateKeyPairSync('rsa', { modulusLength: 2048 })
const PEM = PAIR.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

interface Asked {
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** What the token server was asked, and what it answers by path. */
const asked: Asked[] = []
let answers: Readonly<Record<string, { readonly status?: number; readonly body: JsonObject | string }>> = {}
let origin = ''
let now = 1_800_000_000_000
const transport = createTransport()
let ground = groundOn(transport, () => now)
const folder = mkdtempSync(join(tmpdir(), 'google-'))

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    asked.push({ url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() })
    const { status = 200, body } = answers[request.url ?? ''] ?? { status: 404, body: 'nothing here' }
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
})

function portOf(address: AddressInfo | string | null): number {
  assert.ok(address !== null && typeof address === 'object')
  return address.port
}

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${portOf(server.address())}`
})
beforeEach(() => {
  asked.length = 0
  ground = groundOn(transport, () => now)
  answers = { '/token': { body: { access_token: 'ya29.first', expires_in: 3600, token_type: 'Bearer' } } }
  now = 1_800_000_000_000
})
after(async () => {
  await transport.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  rmSync(folder, { recursive: true })
})

const account = (more: JsonObject = {}): JsonObject => ({
  type: 'service_account',
  project_id: 'my-project',
  private_key_id: 'k1',
  private_key: PEM,
  client_email: 'robot@my-project.iam.gserviceaccount.com',
  token_uri: `${origin}/token`,
  ...more,
})

function credentialsOf(json: JsonObject): GoogleCredentials {
  const found = findGoogleCredentials(new Secret(JSON.stringify(json)), {})
  assert.ok(!('message' in found), 'message' in found ? found.message : '')
  return found
}

function connected(json: JsonObject): Connected {
  const deployment = deploymentOf('vertex_ai')
  const target = { provider: 'vertex_ai', model: 'm', base: origin, bodyDefaults: {} }
  const made = authorizedByGoogle(credentialsOf(json), deployment, target)
  assert.ok('authorize' in made)
  return made
}

const WIRE: WireRequest = { method: 'POST', url: 'http://upstream.test/', headers: {}, body: '{}' }

async function tokenOf(json: JsonObject): Promise<Readonly<Record<string, string>>> {
  return (await connected(json).authorize(WIRE, ground)).headers
}

describe('a service account', () => {
  test('signs a claim for a token', async () => {
    assert.deepEqual(await tokenOf(account()), { authorization: 'Bearer ya29.first' })
    const form = new URLSearchParams(asked[0]?.body)
    assert.equal(form.get('grant_type'), 'urn:ietf:params:oauth:grant-type:jwt-bearer')
    const [head = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.')
    const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString())
    assert.deepEqual(read(head), { alg: 'RS256', typ: 'JWT', kid: 'k1' })
    assert.deepEqual(read(claims), {
      iss: 'robot@my-project.iam.gserviceaccount.com',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      aud: `${origin}/token`,
      iat: 1_800_000_000,
      exp: 1_800_003_600,
    })
    const key = createPublicKey(PAIR.publicKey.export({ type: 'spki', format: 'pem' }))
    assert.ok(
      verify('RSA-SHA256', Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, 'base64url')),
    )
  })

  test('asks once for all that wait, and again only when the token ends', async () => {
    const { authorize, freshSecrets } = connected(account())
    assert.deepEqual(freshSecrets?.(), [])
    await Promise.all([authorize(WIRE, ground), authorize(WIRE, ground), authorize(WIRE, ground)])
    assert.equal(asked.length, 1)
    // Nothing to wait for any more: the hot path has no promise.
    assert.ok(!(authorize(WIRE, ground) instanceof Promise))
    assert.deepEqual(
      freshSecrets?.().map((secret) => secret.reveal()),
      ['ya29.first'],
    )
    answers = { '/token': { body: { access_token: 'ya29.second', expires_in: 3600 } } }
    now += 3_571_000
    const renewed = await authorize(WIRE, ground)
    assert.equal(renewed.headers['authorization'], 'Bearer ya29.second')
    assert.equal(asked.length, 2)
    assert.deepEqual(
      freshSecrets?.().map((secret) => secret.reveal()),
      ['ya29.second', 'ya29.first'],
    )
  })

  test('is renewed beside the traffic while the old token still holds', async () => {
    const { authorize } = connected(account())
    await authorize(WIRE, ground)
    answers = { '/token': { body: { access_token: 'ya29.second', expires_in: 3600 } } }
    now += 3_400_000
    const meanwhile = authorize(WIRE, ground)
    assert.ok(!(meanwhile instanceof Promise))
    assert.equal(meanwhile.headers['authorization'], 'Bearer ya29.first')
  })

  test('that is refused says why, without a secret, and is tried again', async () => {
    const body = { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' }
    answers = { '/token': { status: 400, body } }
    const { authorize } = connected(account())
    await assert.rejects(async () => authorize(WIRE, ground), {
      kind: 'auth',
      message: /gave no token, it answered 400: invalid_grant: Invalid JWT Signature\./,
    })
    answers = { '/token': { body: { access_token: 'ya29.first' } } }
    now += 1_000
    assert.equal((await authorize(WIRE, ground)).headers['authorization'], 'Bearer ya29.first')
    answers = { '/token': { status: 503, body: {} } }
    ground = groundOn(transport, () => now)
    await assert.rejects(async () => connected(account()).authorize(WIRE, ground), { kind: 'overloaded' })
    answers = { '/token': { body: 'no json' } }
    ground = groundOn(transport, () => now)
    await assert.rejects(async () => connected(account()).authorize(WIRE, ground), { kind: 'auth' })
  })
})

test('what gcloud keeps is a refresh token, and names whose quota counts', async () => {
  const headers = await tokenOf({
    type: 'authorized_user',
    client_id: 'c',
    client_secret: 's3cret!',
    refresh_token: 'r3fresh!',
    quota_project_id: 'mine',
    token_uri: `${origin}/token`,
  })
  assert.deepEqual(headers, { authorization: 'Bearer ya29.first', 'x-goog-user-project': 'mine' })
  assert.deepEqual(Object.fromEntries(new URLSearchParams(asked[0]?.body)), {
    grant_type: 'refresh_token',
    client_id: 'c',
    client_secret: 's3cret!',
    refresh_token: 'r3fresh!',
  })
})

describe('somebody else’s token', () => {
  const external = (source: JsonObject, more: JsonObject = {}): JsonObject => ({
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${origin}/sts`,
    credential_source: source,
    ...more,
  })

  test('is read from a file, exchanged, and speaks for an account', async () => {
    const path = join(folder, 'token')
    writeFileSync(path, 'outer.jwt.token\n')
    answers = {
      '/sts': { body: { access_token: 'federated', expires_in: 3600 } },
      '/account:generateAccessToken': {
        body: { accessToken: 'ya29.account', expireTime: '2027-01-15T09:00:00Z' },
      },
    }
    const url = `${origin}/account:generateAccessToken`
    const headers = await tokenOf(external({ file: path }, { service_account_impersonation_url: url }))
    assert.deepEqual(headers, { authorization: 'Bearer ya29.account' })
    assert.deepEqual(Object.fromEntries(new URLSearchParams(asked[0]?.body)), {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      subject_token: 'outer.jwt.token',
    })
    assert.equal(asked[1]?.headers.authorization, 'Bearer federated')
    assert.deepEqual(JSON.parse(asked[1]?.body ?? ''), {
      scope: ['https://www.googleapis.com/auth/cloud-platform'],
      lifetime: '3600s',
    })
  })

  test('is read from a URL that answers with JSON', async () => {
    answers = {
      '/subject': { body: { held: 'outer' } },
      '/sts': { body: { access_token: 'ya29.federated', expires_in: 3600 } },
    }
    const format = { type: 'json', subject_token_field_name: 'held' }
    const headers = await tokenOf(
      external({ url: `${origin}/subject`, headers: { Metadata: 'True' }, format }),
    )
    assert.deepEqual(headers, { authorization: 'Bearer ya29.federated' })
    assert.equal(asked[0]?.headers['metadata'], 'True')
    assert.equal(new URLSearchParams(asked[1]?.body).get('subject_token'), 'outer')
  })

  test('that cannot be read is no credential', async () => {
    const gone = external({ file: join(folder, 'gone') })
    await assert.rejects(async () => tokenOf(gone), { kind: 'auth', message: /cannot be read from/ })
    const aws = external({ environment_id: 'aws1', url: 'http://169.254.169.254/' })
    const found = findGoogleCredentials(new Secret(JSON.stringify(aws)), {})
    assert.ok('message' in found)
    assert.match(found.message, /credential_source must name a file or a url/)
  })
})

test('an account can be spoken for by another one', async () => {
  answers = {
    ...answers,
    '/other:generateAccessToken': {
      body: { accessToken: 'ya29.other', expireTime: '2027-01-15T09:00:00Z' },
    },
  }
  const headers = await tokenOf({
    type: 'impersonated_service_account',
    service_account_impersonation_url: `${origin}/other:generateAccessToken`,
    delegates: ['d'],
    source_credentials: account(),
  })
  assert.equal(headers['authorization'], 'Bearer ya29.other')
  assert.equal(asked[1]?.headers.authorization, 'Bearer ya29.first')
  assert.match(asked[1]?.body ?? '', /"delegates":\["d"\]/)
})

describe('credentials are found', () => {
  test('in the order of Google’s own clients', () => {
    const file = join(folder, 'account.json')
    const kept = join(folder, 'application_default_credentials.json')
    writeFileSync(file, JSON.stringify(account({ project_id: 'of-the-file' })))
    writeFileSync(kept, JSON.stringify(account({ project_id: 'of-gcloud' })))
    const projectOf = (written: string | undefined, env: Record<string, string>): unknown => {
      const found = findGoogleCredentials(written === undefined ? undefined : new Secret(written), env)
      return 'message' in found ? found.message : (found.project ?? found.kind)
    }
    const env = { GOOGLE_APPLICATION_CREDENTIALS: file, CLOUDSDK_CONFIG: folder }
    assert.equal(projectOf(JSON.stringify(account({ project_id: 'written' })), env), 'written')
    assert.equal(projectOf(kept, env), 'of-gcloud')
    assert.equal(projectOf(undefined, env), 'of-the-file')
    assert.equal(projectOf(undefined, { CLOUDSDK_CONFIG: folder }), 'of-gcloud')
    assert.equal(projectOf(undefined, { HOME: join(folder, 'nobody') }), 'metadata')
  })

  test('or it is said what is wrong with them', () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['/no/such/file.json', /vertex_credentials names no file/],
      ['{', /vertex_credentials holds no JSON object/],
      ['{"type":"gdch"}', /of a type that is not known: "gdch"/],
      ['{"type":"service_account"}', /lacks client_email or private_key/],
      [JSON.stringify(account({ private_key: 'abc' })), /private_key is no RSA key/],
      ['{"type":"authorized_user"}', /lacks client_id/],
    ]
    for (const [written, message] of cases) {
      const found = findGoogleCredentials(new Secret(written), {})
      assert.ok('message' in found)
      assert.match(found.message, message)
    }
  })

  test('on the machine itself, or it is said how to give them', async () => {
    const { host } = new URL(origin)
    const path = '/computeMetadata/v1/instance/service-accounts/default/token'
    const found = findGoogleCredentials(undefined, { GCE_METADATA_HOST: host })
    assert.ok(!('message' in found))
    const target = { provider: 'vertex_ai', model: 'm', base: origin, bodyDefaults: {} }
    const made = authorizedByGoogle(found, deploymentOf('vertex_ai'), target)
    assert.ok('authorize' in made)
    answers = {}
    await assert.rejects(async () => made.authorize(WIRE, ground), { kind: 'auth' })
    answers = { [path]: { body: { access_token: 'ya29.machine', expires_in: 600 } } }
    now += 1_000
    assert.equal((await made.authorize(WIRE, ground)).headers['authorization'], 'Bearer ya29.machine')
    assert.equal(asked.at(-1)?.headers['metadata-flavor'], 'Google')
    const nowhere = findGoogleCredentials(undefined, { GCE_METADATA_HOST: '127.0.0.1:9' })
    assert.ok(!('message' in nowhere))
    const lost = authorizedByGoogle(nowhere, deploymentOf('vertex_ai'), target)
    assert.ok('authorize' in lost)
    await assert.rejects(async () => lost.authorize(WIRE, ground), {
      kind: 'auth',
      message: /set vertex_credentials or GOOGLE_APPLICATION_CREDENTIALS/,
    })
  })
})
