import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { startFakeProvider } from '../server.ts'
import { atHome, awsAt } from './aws-home.fixture.ts'

const fake = await startFakeProvider()
after(() => fake.stop())

/** AWS's own client, in a process whose environment is all that it knows, says whose keys each profile leads to. */
const ASK = `
import { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime'
const found = {}
for (const profile of ['printed', 'corp', 'app', 'web', 'stale']) {
  const { config } = new BedrockRuntimeClient({ region: 'eu-west-1', profile })
  found[profile] = await config.credentials().then((keys) => keys.accessKeyId, (error) => error.name)
}
console.log(JSON.stringify(found))`

test("AWS's own client gets its keys from the double, out of the same files", () =>
  atHome(async (home) => {
    const env = { PATH: process.env['PATH'] ?? '', HOME: home, ...awsAt(fake.url) }
    const options = { env, cwd: import.meta.dirname, timeout: 30_000 }
    const args = ['--input-type=module', '--eval', ASK]
    const { stdout } = await promisify(execFile)(process.execPath, args, options)
    assert.deepEqual(JSON.parse(stdout), {
      printed: 'AKIAPRINTED',
      corp: 'ASIAREADER',
      app: 'ASIAAPP',
      web: 'ASIAWEB',
      stale: 'CredentialsProviderError',
    })
  }))

const ROLE = { Version: '2011-06-15', RoleArn: 'arn:aws:iam::123456789012:role/r', RoleSessionName: 'me' }
const BY_TOKEN = { ...ROLE, Action: 'AssumeRoleWithWebIdentity', WebIdentityToken: 'a.b.c' }

async function told(path: string, init?: RequestInit): Promise<string> {
  const response = await fetch(`${fake.url}/ok/as-aws${path}`, init)
  return `${response.status} ${await response.text()}`
}

test('the double of what hands out keys refuses what AWS would', async () => {
  const assume = (fields: Readonly<Record<string, string>>): Promise<string> =>
    told('/', { method: 'POST', body: new URLSearchParams(fields) })
  const renew = (body: object): Promise<string> =>
    told('/token', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const renewal = { grantType: 'refresh_token', clientId: 'c', clientSecret: 's', refreshToken: 'r' }
  const portal = '/federation/credentials?role_name=r&account_id=123456789012'
  for (const [answer, expected] of [
    [assume(BY_TOKEN), /^200 .*<AccessKeyId>ASIAR</],
    [assume({ ...ROLE, Action: 'AssumeRole' }), /^403 .*MissingAuthenticationToken/],
    [assume({ ...BY_TOKEN, Version: '2010-01-01' }), /^400 .*InvalidAction/],
    [assume({ ...BY_TOKEN, Surplus: '1' }), /^400 .*unknown parameter Surplus/],
    [assume({ ...BY_TOKEN, RoleArn: 'r' }), /^400 .*ValidationError/],
    [assume({ ...BY_TOKEN, RoleSessionName: 'a b' }), /^400 .*roleSessionName/],
    [assume({ ...BY_TOKEN, WebIdentityToken: 'wrong.b.c' }), /^403 .*InvalidIdentityToken/],
    [assume({ ...BY_TOKEN, RoleArn: 'arn:aws:iam::123456789012:role/wrong' }), /^403 .*AccessDenied/],
    [renew(renewal), /^200 .*"expiresIn":3600/],
    [renew({ ...renewal, surplus: 1 }), /^400 .*surplus/],
    [renew({ ...renewal, grantType: 'password' }), /^400 .*unsupported_grant_type/],
    [renew({ ...renewal, refreshToken: 'wrong' }), /^400 .*invalid_grant/],
    [told(portal), /^401 .*Session token not found/],
    [told(portal.replace('123456789012', '1')), /^400 .*InvalidRequest/],
    [told(`${portal}&surplus=1`), /^400 .*InvalidRequest/],
    [told('/'), /^404/],
  ] as const)
    assert.match((await answer).replaceAll('\n', ' '), expected)
})
