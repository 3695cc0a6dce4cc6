import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { awsKeys } from './aws-keys.ts'
import { startAwsWorld } from './aws-world.fixture.ts'

const world = await startAwsWorld()
const { url: URL_OF_IT, arrived, folder, identity, keyOf, granted, told } = world

const KEYS = { aws_access_key_id: 'AKIAOWN', aws_secret_access_key: 'secret-own' }
const ENV_KEYS = {
  AWS_ACCESS_KEY_ID: 'AKIAENV',
  AWS_SECRET_ACCESS_KEY: 'secret-env',
  AWS_SESSION_TOKEN: 'token-env',
}

test('keys that are written down are at hand at once, the own before those of the environment', () => {
  const own = awsKeys(identity(KEYS, ENV_KEYS)).get(world.ground)
  assert.deepEqual(own, { accessKeyId: 'AKIAOWN', secretAccessKey: 'secret-own' })
  const inherited = awsKeys(identity({}, ENV_KEYS)).get(world.ground)
  assert.deepEqual(inherited, {
    accessKeyId: 'AKIAENV',
    secretAccessKey: 'secret-env',
    sessionToken: 'token-env',
  })
})

test('a role is assumed once for all who wait, renewed before it ends, and its secrets become known', async () => {
  let times = 0
  world.reset(() => granted(`ROLE${(times += 1)}`))
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
  const all = await Promise.all([ring.get(world.ground), ring.get(world.ground), ring.get(world.ground)])
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
  assert.match(
    arrived[0]?.headers.authorization ?? '',
    /Credential=AKIAOWN\/20261127\/eu-west-1\/sts\/aws4_request/,
  )
  const before = ring.freshSecrets()
  assert.deepEqual(
    before.map((secret) => secret.reveal()),
    ['secret-ROLE1', 'token-ROLE1'],
  )
  world.now += 56 * 60_000
  assert.ok(
    !(ring.get(world.ground) instanceof Promise),
    'the old keys still hold while new ones are fetched',
  )
  while (ring.freshSecrets() === before) await new Promise((resolve) => setImmediate(resolve))
  assert.equal((await ring.get(world.ground)).accessKeyId, 'ASIAROLE2')
  world.now += 2 * 3_600_000
  assert.equal((await ring.get(world.ground)).accessKeyId, 'ASIAROLE3', 'keys that have ended are waited for')
})

test('a renewal that fails leaves the old keys as long as they hold', async () => {
  world.reset(() => granted('GOOD'))
  const role = { ...KEYS, aws_role_name: 'arn:aws:iam::1:role/r', aws_sts_endpoint: URL_OF_IT }
  const ring = awsKeys(identity(role, {}))
  await ring.get(world.ground)
  world.answer = () => ({ status: 503, text: '' })
  world.now += 57 * 60_000
  assert.equal((await ring.get(world.ground)).accessKeyId, 'ASIAGOOD')
  world.now += 10 * 60_000
  await assert.rejects(async () => ring.get(world.ground), { kind: 'server_error' })
})

test('a refusal says what was tried, and is not repeated at every request', async () => {
  world.reset(() => ({
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
  await assert.rejects(async () => ring.get(world.ground), refused)
  await assert.rejects(async () => ring.get(world.ground), refused)
  assert.equal(arrived.length, 1)
  world.now += 3_000
  world.answer = () => granted('LATER')
  assert.equal((await ring.get(world.ground)).accessKeyId, 'ASIALATER')
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
    world.reset(() => granted('WEB'))
    const env = { TOKEN: 'a.web.token', TOKEN_PATH: file }
    assert.equal(await keyOf({ ...role, aws_web_identity_token: written }, env), 'ASIAWEB', written)
    assert.equal(arrived[0]?.form.get('Action'), 'AssumeRoleWithWebIdentity')
    assert.equal(arrived[0]?.form.get('WebIdentityToken'), 'a.web.token')
    assert.equal(arrived[0]?.headers.authorization, undefined)
  }
  world.reset(() => granted('POD'))
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
  world.reset(() => granted('READER'))
  assert.equal(await keyOf({}, env), 'AKIADEFAULT')
  assert.equal(await keyOf({}, { ...env, AWS_PROFILE: 'team' }), 'AKIATEAM')
  assert.equal(await keyOf({ aws_profile_name: 'team' }, { ...env, ...ENV_KEYS }), 'AKIATEAM')
  assert.equal(await keyOf({ aws_profile_name: 'reader' }, env), 'ASIAREADER')
  assert.match(arrived[0]?.headers.authorization ?? '', /Credential=AKIATEAM\//)
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
  world.reset(({ headers }) =>
    headers.authorization === 'a-token' ? told('TASK') : { status: 401, text: '{"message":"who are you?"}' },
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
  world.reset(({ method, url, headers }) => {
    if (method === 'PUT') return { text: 'a-session' }
    if (headers['x-aws-ec2-metadata-token'] !== 'a-session') return { status: 401, text: '' }
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
