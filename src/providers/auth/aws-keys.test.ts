import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createTransport } from '../../transport/transport.ts'
import { awsKeys } from './aws-keys.ts'
import type { AwsIdentity } from './aws-settings.ts'
import { groundOn } from './ground.fixture.ts'

/** What arrived at the server that stands for STS, a container's neighbour and an instance's. */
interface Arrived {
  readonly method: string
  readonly url: string
  readonly authorization: string
  readonly token: string
  readonly form: URLSearchParams
}
interface Answer {
  readonly status?: number
  readonly text: string
}

const arrived: Arrived[] = []
let answer: (request: Arrived) => Answer = () => ({ text: '' })
const server = http.createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const { method = '', url = '', headers } = request
    const token = headers['x-aws-ec2-metadata-token']
    const one = {
      method,
      url,
      authorization: headers.authorization ?? '',
      token: typeof token === 'string' ? token : '',
      form: new URLSearchParams(Buffer.concat(chunks).toString()),
    }
    arrived.push(one)
    const { status = 200, text } = answer(one)
    response.writeHead(status).end(text)
  })
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const address = server.address()
assert.ok(address !== null && typeof address === 'object')
const URL_OF_IT = `http://127.0.0.1:${address.port}`
const transport = createTransport()
const folder = await mkdtemp(join(tmpdir(), 'pulsegate-aws-'))
after(async () => {
  await transport.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await rm(folder, { recursive: true, force: true })
})

const START = Date.UTC(2026, 10, 27)
let now = START
let ground = groundOn(transport, () => now)

function identity(
  settings: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>>,
): AwsIdentity {
  return { setting: (name) => settings[name], env, region: 'eu-west-1' }
}

function reset(next: (request: Arrived) => Answer = () => ({ text: '' })): void {
  arrived.length = 0
  now = START
  ground = groundOn(transport, () => now)
  answer = next
}

/** STS's answer (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html), good for an hour from now. */
function granted(name: string): Answer {
  const until = new Date(now + 3_600_000).toISOString()
  return {
    text: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser><Arn>a</Arn></AssumedRoleUser><Credentials><AccessKeyId>ASIA${name}</AccessKeyId><SecretAccessKey>secret-${name}</SecretAccessKey><SessionToken>token-${name}</SessionToken><Expiration>${until}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
  }
}

/** What an instance and a container say of their keys. */
function told(name: string): Answer {
  const Expiration = new Date(now + 3_600_000).toISOString()
  const keys = { AccessKeyId: `ASIA${name}`, SecretAccessKey: `secret-${name}`, Token: `token-${name}` }
  return { text: JSON.stringify({ Code: 'Success', ...keys, Expiration }) }
}

async function keyOf(
  settings: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  return (await awsKeys(identity(settings, env)).get(groundOn(transport, () => now))).accessKeyId
}

const KEYS = { aws_access_key_id: 'AKIAOWN', aws_secret_access_key: 'secret-own' }
const ENV_KEYS = {
  AWS_ACCESS_KEY_ID: 'AKIAENV',
  AWS_SECRET_ACCESS_KEY: 'secret-env',
  AWS_SESSION_TOKEN: 'token-env',
}

test('keys that are written down are at hand at once, the own before those of the environment', () => {
  const own = awsKeys(identity(KEYS, ENV_KEYS)).get(ground)
  assert.deepEqual(own, { accessKeyId: 'AKIAOWN', secretAccessKey: 'secret-own' })
  const inherited = awsKeys(identity({}, ENV_KEYS)).get(ground)
  assert.deepEqual(inherited, {
    accessKeyId: 'AKIAENV',
    secretAccessKey: 'secret-env',
    sessionToken: 'token-env',
  })
})

test('a role is assumed once for all who wait, renewed before it ends, and its secrets become known', async () => {
  let times = 0
  reset(() => granted(`ROLE${(times += 1)}`))
  const ring = awsKeys(
    identity(
      {
        ...KEYS,
        aws_role_name: 'arn:aws:iam::123456789012:role/reader',
        aws_session_name: 'gateway',
        aws_external_id: 'an external/id',
        aws_sts_endpoint: URL_OF_IT,
      },
      {},
    ),
  )
  assert.deepEqual(ring.freshSecrets(), [])
  const all = await Promise.all([ring.get(ground), ring.get(ground), ring.get(ground)])
  assert.deepEqual(
    all.map(({ accessKeyId }) => accessKeyId),
    ['ASIAROLE1', 'ASIAROLE1', 'ASIAROLE1'],
  )
  assert.equal(arrived.length, 1)
  assert.deepEqual(Object.fromEntries(arrived[0]?.form ?? []), {
    Action: 'AssumeRole',
    RoleArn: 'arn:aws:iam::123456789012:role/reader',
    RoleSessionName: 'gateway',
    DurationSeconds: '3600',
    ExternalId: 'an external/id',
    Version: '2011-06-15',
  })
  assert.match(arrived[0]?.authorization ?? '', /Credential=AKIAOWN\/20261127\/eu-west-1\/sts\/aws4_request/)
  const before = ring.freshSecrets()
  assert.deepEqual(
    before.map((secret) => secret.reveal()),
    ['secret-ROLE1', 'token-ROLE1'],
  )
  now = START + 56 * 60_000
  assert.ok(!(ring.get(ground) instanceof Promise), 'the old keys still hold while new ones are fetched')
  while (ring.freshSecrets() === before) await new Promise((resolve) => setImmediate(resolve))
  assert.equal((await ring.get(ground)).accessKeyId, 'ASIAROLE2')
  now += 2 * 3_600_000
  assert.equal((await ring.get(ground)).accessKeyId, 'ASIAROLE3', 'keys that have ended are waited for')
})

test('a renewal that fails leaves the old keys as long as they hold', async () => {
  reset(() => granted('GOOD'))
  const role = { ...KEYS, aws_role_name: 'arn:aws:iam::1:role/r', aws_sts_endpoint: URL_OF_IT }
  const ring = awsKeys(identity(role, {}))
  await ring.get(ground)
  answer = () => ({ status: 503, text: '' })
  now += 57 * 60_000
  assert.equal((await ring.get(ground)).accessKeyId, 'ASIAGOOD')
  now += 10 * 60_000
  await assert.rejects(async () => ring.get(ground), { kind: 'server_error' })
})

test('a refusal says what was tried, and is not repeated at every request', async () => {
  reset(() => ({
    status: 403,
    text: '<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>',
  }))
  const ring = awsKeys(
    identity({ ...KEYS, aws_role_name: 'arn:aws:iam::1:role/r', aws_sts_endpoint: URL_OF_IT }, {}),
  )
  const refused = {
    kind: 'auth',
    message:
      'no AWS credentials: assuming the role arn:aws:iam::1:role/r was answered 403 (AccessDenied): not authorized to perform: sts:AssumeRole',
  }
  await assert.rejects(async () => ring.get(ground), refused)
  await assert.rejects(async () => ring.get(ground), refused)
  assert.equal(arrived.length, 1)
  now += 3_000
  answer = () => granted('LATER')
  assert.equal((await ring.get(ground)).accessKeyId, 'ASIALATER')
})

test('a web token is read from wherever it is written, and shown unsigned', async () => {
  const file = join(folder, 'token')
  await writeFile(file, 'a.web.token\n')
  const role = { aws_role_name: 'arn:aws:iam::1:role/web', aws_sts_endpoint: URL_OF_IT }
  for (const written of [
    'a.web.token',
    file,
    `oidc/file/${file}`,
    'oidc/env/TOKEN',
    'oidc/env_path/TOKEN_PATH',
  ]) {
    reset(() => granted('WEB'))
    const env = { TOKEN: 'a.web.token', TOKEN_PATH: file }
    assert.equal(await keyOf({ ...role, aws_web_identity_token: written }, env), 'ASIAWEB', written)
    assert.equal(arrived[0]?.form.get('Action'), 'AssumeRoleWithWebIdentity')
    assert.equal(arrived[0]?.form.get('WebIdentityToken'), 'a.web.token')
    assert.equal(arrived[0]?.authorization, '')
  }
  reset(() => granted('POD'))
  const env = {
    AWS_WEB_IDENTITY_TOKEN_FILE: file,
    AWS_ROLE_ARN: 'arn:aws:iam::1:role/pod',
    AWS_ENDPOINT_URL_STS: URL_OF_IT,
  }
  assert.equal(await keyOf({}, env), 'ASIAPOD')
  assert.equal(arrived[0]?.form.get('RoleArn'), 'arn:aws:iam::1:role/pod')
  await assert.rejects(keyOf({ ...role, aws_web_identity_token: '/nowhere/token' }), {
    kind: 'misconfigured',
    message: 'no AWS credentials: "/nowhere/token" cannot be read (ENOENT)',
  })
  await assert.rejects(keyOf({ ...role, aws_web_identity_token: 'oidc/github/aud' }), {
    kind: 'misconfigured',
  })
})

test("profiles come from AWS's files, with roles and their sources", async () => {
  const credentials = join(folder, 'credentials')
  const config = join(folder, 'config')
  await writeFile(
    credentials,
    '[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key=d\n\n# a comment\n[team]\naws_access_key_id = AKIATEAM\naws_secret_access_key = t\n',
  )
  await writeFile(
    config,
    '[default]\nregion = eu-west-3\n[profile reader]\nrole_arn = arn:aws:iam::1:role/reader\nsource_profile = team\n[profile one]\nrole_arn = r\nsource_profile = two\n[profile two]\nrole_arn = r\nsource_profile = one\n[profile sso]\nsso_session = s\n',
  )
  const env = {
    AWS_SHARED_CREDENTIALS_FILE: credentials,
    AWS_CONFIG_FILE: config,
    AWS_ENDPOINT_URL_STS: URL_OF_IT,
  }
  reset(() => granted('READER'))
  assert.equal(await keyOf({}, env), 'AKIADEFAULT')
  assert.equal(await keyOf({}, { ...env, AWS_PROFILE: 'team' }), 'AKIATEAM')
  assert.equal(await keyOf({ aws_profile_name: 'team' }, { ...env, ...ENV_KEYS }), 'AKIATEAM')
  assert.equal(await keyOf({ aws_profile_name: 'reader' }, env), 'ASIAREADER')
  assert.match(arrived[0]?.authorization ?? '', /Credential=AKIATEAM\//)
  const flawed = [
    ['nobody', 'no profile "nobody" in AWS\'s files'],
    ['one', 'profiles name one another in a circle'],
    ['sso', 'profile "sso" names the sso_session "s", and AWS\'s config file has none'],
  ] as const
  for (const [name, why] of flawed)
    await assert.rejects(keyOf({ aws_profile_name: name }, env), {
      kind: 'misconfigured',
      message: `no AWS credentials: ${why}`,
    })
})

test("a container's keys come from its neighbour, shown the token that it wants", async () => {
  reset(({ authorization }) =>
    authorization === 'a-token' ? told('TASK') : { status: 401, text: '{"message":"who are you?"}' },
  )
  const env = { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${URL_OF_IT}/v2/credentials` }
  assert.equal(await keyOf({}, { ...env, AWS_CONTAINER_AUTHORIZATION_TOKEN: 'a-token' }), 'ASIATASK')
  await assert.rejects(keyOf({}, env), {
    kind: 'auth',
    message: /asking the container's credential service was answered 401: who are you\?$/,
  })
  await assert.rejects(keyOf({}, { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://example.com/steal' }), {
    kind: 'misconfigured',
  })
})

test("an instance's keys come from its metadata service, by its second version", async () => {
  reset(({ method, url, token }) => {
    if (method === 'PUT') return { text: 'a-session' }
    if (token !== 'a-session') return { status: 401, text: '' }
    return url.endsWith('/the-role') ? told('INSTANCE') : { text: 'the-role\n' }
  })
  const env = { AWS_EC2_METADATA_SERVICE_ENDPOINT: URL_OF_IT }
  assert.equal(await keyOf({}, env), 'ASIAINSTANCE')
  assert.deepEqual(
    arrived.map(({ method, url }) => `${method} ${url}`),
    [
      'PUT /latest/api/token',
      'GET /latest/meta-data/iam/security-credentials/',
      'GET /latest/meta-data/iam/security-credentials/the-role',
    ],
  )
})

test('where nothing is found, every way to mend it is named', async () => {
  await assert.rejects(keyOf({}, { AWS_EC2_METADATA_DISABLED: 'true' }), {
    kind: 'misconfigured',
    message: /^no AWS credentials: set aws_access_key_id and .* or an IAM role of this machine$/,
  })
})
