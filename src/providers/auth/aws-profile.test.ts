import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { awsKeys } from './aws-keys.ts'
import { startAwsWorld } from './aws-world.fixture.ts'

const world = await startAwsWorld()
const { url, arrived, keyOf, granted, told } = world
const home = join(world.folder, 'home')
await mkdir(join(home, '.aws', 'sso', 'cache'), { recursive: true })
const ENV = {
  HOME: home,
  PATH: process.env['PATH'] ?? '',
  AWS_ENDPOINT_URL_STS: url,
  AWS_ENDPOINT_URL_SSO: url,
  AWS_ENDPOINT_URL_SSO_OIDC: url,
}

/** What AWS's files say in this test. */
async function written(config: string, credentials = ''): Promise<void> {
  await writeFile(join(home, '.aws', 'config'), config)
  await writeFile(join(home, '.aws', 'credentials'), credentials)
}

/** A program, and the line that names it. */
async function program(name: string, text: string): Promise<string> {
  const path = join(home, name)
  await writeFile(path, `#!/bin/sh\n${text}\n`)
  await chmod(path, 0o755)
  return path
}

async function refusedAs(
  message: string | RegExp,
  kind: string,
  env: Readonly<Record<string, string>> = ENV,
) {
  await assert.rejects(keyOf({}, env), { kind, message })
}

const PRINTED = (id: string, more = ''): string =>
  `echo '{"Version":1,"AccessKeyId":"${id}","SecretAccessKey":"printed-secret"${more}}'`

describe('a credential_process', () => {
  test('prints keys, is given its words as they are written, and the environment', async () => {
    const path = await program(
      'a printer',
      `[ "$1" = "two words" ] && [ "$2" = '$HOME;|' ] && [ "$3" = 'a"b' ] && [ "$HOME" = "${home}" ] && ${PRINTED('AKIAPRINTED')}`,
    )
    await written(`[default]\ncredential_process = "${path}" 'two words' '$HOME;|' "a\\"b"\n`)
    assert.equal(await keyOf({}, ENV), 'AKIAPRINTED')
  })

  test('is run anew when its keys are about to end, once for all who wait', async () => {
    const runs = join(home, 'runs')
    const path = await program(
      'counting',
      `echo x >> '${runs}'; ${PRINTED("AKIA'$(wc -l < '" + runs + "' | tr -d ' ')'", ',"SessionToken":"printed-token","Expiration":"2026-11-27T01:00:00Z"')}`,
    )
    await written(`[default]\ncredential_process = ${path}\n`)
    world.reset()
    const source = awsKeys(world.identity({}, ENV))
    const all = await Promise.all([source.get(world.ground), source.get(world.ground)])
    assert.deepEqual(
      all.map(({ accessKeyId }) => accessKeyId),
      ['AKIA1', 'AKIA1'],
    )
    assert.deepEqual(
      source.freshSecrets().map((secret) => secret.reveal()),
      ['printed-secret', 'printed-token'],
    )
    world.now += 3_590_000
    assert.equal((await source.get(world.ground)).accessKeyId, 'AKIA2')
  })

  test('that fails says how, and nothing that it wrote', async () => {
    const cases = [
      ['fails', 'echo the-secret >&2; echo the-secret; exit 3', /ended with the exit code 3; run it by hand/],
      ['talks', 'echo the-secret', /printed no JSON object$/],
      ['old', `echo '{"Version":2,"AccessKeyId":"the-secret"}'`, /printed keys of a Version that is not 1$/],
      ['half', `echo '{"Version":1,"AccessKeyId":"the-secret"}'`, /printed no keys$/],
      ['floods', 'yes the-secret', /printed more than 64 KB$/],
    ] as const
    for (const [name, text, message] of cases) {
      await written(`[default]\ncredential_process = ${await program(name, text)}\n`)
      await assert.rejects(keyOf({}, ENV), (error: Error) => {
        assert.match(error.message, /^no AWS credentials: the credential_process of profile "default" /)
        assert.match(error.message, message)
        assert.doesNotMatch(`${error.message} ${error.stack} ${String(error.cause)}`, /the-secret/)
        return true
      })
    }
    await written('[default]\ncredential_process = /nowhere/at/all\n')
    await refusedAs(/could not be run \(ENOENT\)$/, 'auth')
    await written('[default]\ncredential_process = "/not closed\n')
    await refusedAs(/is no command: a quotation mark is not closed, or it is empty$/, 'misconfigured')
  })
})

const cacheOf = (cacheKey: string): string =>
  join(home, '.aws', 'sso', 'cache', `${createHash('sha1').update(cacheKey).digest('hex')}.json`)
const signedIn = async (cacheKey: string, expiresAt: string): Promise<void> =>
  writeFile(
    cacheOf(cacheKey),
    JSON.stringify({ accessToken: 'the-sign-in-token', expiresAt, region: 'eu-central-1' }),
  )
/** What `aws sso login` leaves behind for a session; by the clock of these tests it ends in four minutes. */
const RENEWABLE = {
  startUrl: 'https://corp.awsapps.com/start',
  region: 'eu-central-1',
  accessToken: 'the-sign-in-token',
  expiresAt: '2026-11-27T00:04:00Z',
  clientId: 'cli',
  clientSecret: 'cli-secret',
  registrationExpiresAt: '2027-01-01T00:00:00Z',
  refreshToken: 'refresh-1',
}
const renewedUntil = (expiresIn: number): { readonly text: string } => ({
  text: JSON.stringify({
    accessToken: 'renewed-token',
    expiresIn,
    refreshToken: 'refresh-2',
    tokenType: 'Bearer',
  }),
})
const SESSION =
  '[sso-session corp]\nsso_region = eu-central-1\nsso_start_url = https://corp.awsapps.com/start\n' +
  '[profile dev]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Reader Role\n'
const LEGACY =
  '[profile old]\nsso_start_url = https://old.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 1\nsso_role_name = r\n'

/** The portal's answer (https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html). */
const roleKeys = (id: string) => ({
  text: JSON.stringify({
    roleCredentials: {
      accessKeyId: id,
      secretAccessKey: 'portal-secret',
      sessionToken: 'portal-token',
      expiration: world.now + 3_600_000,
    },
  }),
})

describe('a single sign-on', () => {
  const dev = { ...ENV, AWS_PROFILE: 'dev' }

  test('is shown to the portal, which gives the keys of a role', async () => {
    await written(SESSION + LEGACY)
    await signedIn('corp', '2026-11-27T08:00:00Z')
    await signedIn('https://old.awsapps.com/start', '2026-11-27T08:00:00UTC')
    world.reset(() => roleKeys('ASIAPORTAL'))
    const source = awsKeys(world.identity({ aws_profile_name: 'dev' }, ENV))
    assert.equal((await source.get(world.ground)).accessKeyId, 'ASIAPORTAL')
    assert.equal(arrived[0]?.method, 'GET')
    assert.equal(arrived[0]?.url, '/federation/credentials?role_name=Reader+Role&account_id=123456789012')
    assert.equal(arrived[0]?.headers['x-amz-sso_bearer_token'], 'the-sign-in-token')
    assert.deepEqual(
      source.freshSecrets().map((secret) => secret.reveal()),
      ['portal-secret', 'portal-token'],
    )
    assert.equal(await keyOf({}, { ...ENV, AWS_DEFAULT_PROFILE: 'old' }), 'ASIAPORTAL')
    assert.equal(arrived[1]?.url, '/federation/credentials?role_name=r&account_id=1')
    world.now += 3_590_000
    world.answer = () => roleKeys('ASIANEXT')
    assert.equal((await source.get(world.ground)).accessKeyId, 'ASIANEXT')
  })

  test('that has expired, or never was, says how to sign in', async () => {
    await written(SESSION)
    await signedIn('corp', '2026-11-26T23:59:59Z')
    world.reset(() => assert.fail('nobody is asked'))
    const expired = 'no AWS credentials: the sign-in has expired; run `aws sso login --profile dev`'
    await refusedAs(expired, 'auth', dev)
    await signedIn('corp', '2026-11-27T08:00:00Z')
    world.answer = () => ({ status: 401, text: '{"message":"Session token not found or invalid"}' })
    await refusedAs(expired, 'auth', dev)
    world.answer = () => ({ status: 403, text: '{"message":"No access: the-sign-in-token"}' })
    await refusedAs(/in the account 123456789012 was answered 403: No access: \[secret\]$/, 'auth', dev)
    await written(SESSION.replaceAll('corp', 'other'))
    await refusedAs(
      /nobody is signed in: .*\.json cannot be read \(ENOENT\); run `aws sso login --profile dev`$/,
      'auth',
      dev,
    )
  })

  test('that ends is renewed once for all accounts, and written back for the next start', async () => {
    const other = SESSION.slice(SESSION.indexOf('[profile dev]'))
      .replace('dev', 'two')
      .replace('Reader', 'Writer')
    await written(SESSION + other)
    const cached = { ...RENEWABLE, expiresAt: '2026-11-27T00:04:00Z' }
    await writeFile(cacheOf('corp'), JSON.stringify(cached))
    world.reset(({ method }) => (method === 'POST' ? renewedUntil(3_600) : roleKeys('ASIAPORTAL')))
    const sources = ['dev', 'two'].map((name) => awsKeys(world.identity({ aws_profile_name: name }, ENV)))
    await Promise.all(sources.map(async (source) => source.get(world.ground)))
    const renewals = arrived.filter(({ method }) => method === 'POST')
    assert.deepEqual(
      renewals.map(({ url: path, body }): unknown => [path, JSON.parse(body)]),
      [
        [
          '/token',
          {
            grantType: 'refresh_token',
            clientId: 'cli',
            clientSecret: 'cli-secret',
            refreshToken: 'refresh-1',
          },
        ],
      ],
    )
    const shown = arrived
      .filter(({ method }) => method === 'GET')
      .map(({ headers }) => headers['x-amz-sso_bearer_token'])
    assert.deepEqual(shown, ['renewed-token', 'renewed-token'])
    assert.deepEqual(JSON.parse(await readFile(cacheOf('corp'), 'utf8')), {
      ...cached,
      accessToken: 'renewed-token',
      expiresAt: '2026-11-27T01:00:00Z',
      refreshToken: 'refresh-2',
    })
  })

  test('that cannot be renewed is good until it ends, and then says how to sign in', async () => {
    await written(SESSION)
    await writeFile(cacheOf('corp'), JSON.stringify(RENEWABLE))
    let renewal = { status: 400, text: '{"error":"invalid_grant","error_description":"Invalid: refresh-1"}' }
    world.reset(({ method }) => (method === 'POST' ? renewal : roleKeys('ASIAPORTAL')))
    assert.equal(await keyOf({}, dev), 'ASIAPORTAL')
    await writeFile(cacheOf('corp'), JSON.stringify({ ...RENEWABLE, expiresAt: '2026-11-26T23:59:00Z' }))
    await refusedAs(
      'no AWS credentials: the sign-in has expired; run `aws sso login --profile dev`',
      'auth',
      dev,
    )
    renewal = { status: 503, text: '{"message":"busy: refresh-1 cli-secret"}' }
    const busy = /^no AWS credentials: renewing the sign-in was answered 503: busy: \[secret\] \[secret\]$/
    await refusedAs(busy, 'server_error', dev)
    const lapsed = {
      ...RENEWABLE,
      expiresAt: '2026-11-26T23:59:00Z',
      registrationExpiresAt: '2026-11-26T00:00:00Z',
    }
    await writeFile(cacheOf('corp'), JSON.stringify(lapsed))
    world.answer = () => assert.fail('nobody is asked')
    await refusedAs(/the sign-in has expired; run/, 'auth', dev)
  })

  test('that is written in part says what is missing', async () => {
    await written('[profile dev]\nsso_session = corp\n[sso-session corp]\nsso_region = eu-central-1\n')
    const lacks = /profile "dev" lacks sso_start_url, sso_account_id, sso_role_name$/
    await refusedAs(lacks, 'misconfigured', dev)
    await written(SESSION.replace('eu-central-1', 'evil.test/'))
    await refusedAs(/"evil\.test\/" is no region of AWS \(sso_region\)$/, 'misconfigured', dev)
  })
})

describe('a profile that assumes a role', () => {
  const role = (more: string): string => `[profile app]\nrole_arn = arn:aws:iam::1:role/app\n${more}\n`
  const app = { ...ENV, AWS_PROFILE: 'app' }
  const signer = (): string =>
    /Credential=(\w+)\//.exec(arrived.at(-1)?.headers.authorization ?? '')?.[1] ?? 'nobody'

  test('does so with the keys of any other profile', async () => {
    const path = await program('simple', PRINTED('AKIAPRINTED'))
    await signedIn('corp', '2026-11-27T08:00:00Z')
    await written(
      `${SESSION}[profile printed]\ncredential_process = ${path}\n[profile middle]\nrole_arn = m\nsource_profile = printed\n`,
    )
    world.reset((request) => (request.method === 'GET' ? roleKeys('ASIAPORTAL') : granted('APP')))
    for (const [source, by] of [
      ['dev', 'ASIAPORTAL'],
      ['printed', 'AKIAPRINTED'],
      ['middle', 'ASIAAPP'],
    ] as const) {
      await writeFile(
        join(home, '.aws', 'credentials'),
        role(`source_profile = ${source}`).replace('profile ', ''),
      )
      assert.equal(await keyOf({}, app), 'ASIAAPP', source)
      assert.equal(signer(), by)
    }
  })

  test('does so with what its credential_source names, and with nothing else', async () => {
    const instance = {
      ...app,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: url,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/container`,
    }
    world.reset((request) => {
      if (request.url === '/container') return told('CONTAINER')
      if (request.method === 'PUT') return { text: 'a-session' }
      if (request.url.endsWith('/the-role')) return told('INSTANCE')
      return request.method === 'GET' ? { text: 'the-role' } : granted('APP')
    })
    for (const [source, by] of [
      ['Ec2InstanceMetadata', 'ASIAINSTANCE'],
      ['EcsContainer', 'ASIACONTAINER'],
    ] as const) {
      await written(role(`credential_source = ${source}`))
      assert.equal(await keyOf({}, instance), 'ASIAAPP')
      assert.equal(signer(), by)
    }
    await refusedAs(/wants the keys of a container, and neither/, 'misconfigured', app)
    await written(role('credential_source = Environment'))
    const keys = { AWS_ACCESS_KEY_ID: 'AKIAENV', AWS_SECRET_ACCESS_KEY: 's' }
    assert.equal(await keyOf({ aws_profile_name: 'app' }, { ...ENV, ...keys }), 'ASIAAPP')
    assert.equal(signer(), 'AKIAENV')
    await refusedAs(/wants the keys of the environment, and AWS_ACCESS_KEY_ID/, 'misconfigured', app)
    await written(role('credential_source = Elsewhere'))
    await refusedAs(/a credential_source that is not known: "Elsewhere"/, 'misconfigured', app)
    await written(role('source_profile = x\nmfa_serial = arn:aws:iam::1:mfa/me'))
    await refusedAs(/needs the code of an mfa_serial/, 'misconfigured', app)
  })

  test('does so by a web token, without keys', async () => {
    const file = join(home, 'web-token')
    await writeFile(file, 'a.web.token\n')
    await written(role(`web_identity_token_file = ${file}\nrole_session_name = me`))
    world.reset(() => granted('WEB'))
    assert.equal(await keyOf({}, app), 'ASIAWEB')
    assert.equal(arrived[0]?.form.get('Action'), 'AssumeRoleWithWebIdentity')
    assert.equal(arrived[0]?.form.get('RoleSessionName'), 'me')
  })
})

describe('the default chain', () => {
  const POD = {
    AWS_WEB_IDENTITY_TOKEN_FILE: join(home, 'pod-token'),
    AWS_ROLE_ARN: 'arn:aws:iam::1:role/pod',
  }
  const NEIGHBOUR = { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/container` }
  const pod = { ...ENV, ...POD, ...NEIGHBOUR }
  const answers = (): void =>
    world.reset((request) =>
      request.method === 'GET'
        ? told('CONTAINER')
        : granted(request.form.get('RoleArn')?.split('/')[1] ?? ''),
    )

  test('is a profile’s role, a pod’s token, the profile’s other ways, the container', async () => {
    await writeFile(join(home, 'pod-token'), 'pod.web.token')
    answers()
    await written(
      '[default]\nrole_arn = arn:aws:iam::1:role/own\nsource_profile = default\naws_access_key_id = AKIAOWN\naws_secret_access_key = s\n',
    )
    assert.equal(await keyOf({}, pod), 'ASIAown')
    await written('[default]\naws_access_key_id = AKIAOWN\naws_secret_access_key = s\n')
    assert.equal(await keyOf({}, pod), 'ASIApod')
    assert.equal(await keyOf({}, { ...ENV, ...NEIGHBOUR }), 'AKIAOWN')
    await written('[default]\nregion = eu-west-1\n[profile bare]\nregion = eu-west-1\n')
    assert.equal(await keyOf({}, { ...ENV, ...NEIGHBOUR }), 'ASIACONTAINER')
    assert.equal(await keyOf({}, { ...ENV, ...NEIGHBOUR, AWS_PROFILE: 'bare' }), 'ASIACONTAINER')
    const nobody = { ...ENV, ...NEIGHBOUR, AWS_PROFILE: 'nobody' }
    await refusedAs('no AWS credentials: no profile "nobody" in AWS\'s files', 'misconfigured', nobody)
  })

  test('ends at the instance, unless that is switched off', async () => {
    await written('')
    world.reset(() => assert.fail('nobody is asked'))
    const off = { ...ENV, AWS_EC2_METADATA_DISABLED: 'TRUE', AWS_EC2_METADATA_SERVICE_ENDPOINT: url }
    await refusedAs(/^no AWS credentials: set aws_access_key_id and/, 'misconfigured', off)
  })
})
