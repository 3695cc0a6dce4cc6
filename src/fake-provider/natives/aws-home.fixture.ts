import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ENDED = { accessToken: 'ended-token', expiresAt: '2026-01-01T00:00:00Z' }
const RENEWAL = {
  clientId: 'cli',
  clientSecret: 'client-secret-1',
  refreshToken: 'refresh-token-1',
  registrationExpiresAt: '2100-01-01T00:00:00Z',
}

/** Where AWS's clients keep a sign-in. */
export function signInFile(home: string, session: string): string {
  return join(home, '.aws', 'sso', 'cache', `${createHash('sha1').update(session).digest('hex')}.json`)
}

/** The variables that lead AWS's clients to the double of what hands out keys. */
export function awsAt(url: string): Readonly<Record<string, string>> {
  const place = `${url}/ok/as-aws`
  return { AWS_ENDPOINT_URL_STS: place, AWS_ENDPOINT_URL_SSO: place, AWS_ENDPOINT_URL_SSO_OIDC: place }
}

/**
 * A home with AWS's files, for one test. Its profiles: `printed` runs a program, `corp` has a sign-in that has ended and
 * can be renewed, `stale` one that cannot, `app` assumes a role as `corp`, `web` by a web token.
 */
export async function atHome(use: (home: string) => Promise<void>): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'pulsegate-home-'))
  try {
    await fill(home)
    await use(home)
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

async function fill(home: string): Promise<void> {
  await mkdir(join(home, '.aws', 'sso', 'cache'), { recursive: true })
  const printer = join(home, 'print keys')
  const printed = { Version: 1, AccessKeyId: 'AKIAPRINTED', SecretAccessKey: 'secret-of-AKIAPRINTED' }
  await writeFile(printer, `#!/bin/sh\necho a-secret-warning >&2\necho '${JSON.stringify(printed)}'\n`)
  await chmod(printer, 0o755)
  await writeFile(join(home, 'web-token'), 'a.web.token')
  await writeFile(
    join(home, '.aws', 'config'),
    `[profile printed]\ncredential_process = "${printer}"\n${signIn('corp')}${signIn('stale')}` +
      '[profile app]\nrole_arn = arn:aws:iam::123456789012:role/app\nsource_profile = corp\n' +
      `[profile web]\nrole_arn = arn:aws:iam::123456789012:role/web\nweb_identity_token_file = ${home}/web-token\n`,
  )
  await writeFile(signInFile(home, 'corp'), JSON.stringify({ ...ENDED, ...RENEWAL }))
  await writeFile(signInFile(home, 'stale'), JSON.stringify(ENDED))
}

function signIn(name: string): string {
  return (
    `[sso-session ${name}]\nsso_region = eu-central-1\nsso_start_url = https://${name}.awsapps.com/start\n` +
    `[profile ${name}]\nsso_session = ${name}\nsso_account_id = 123456789012\nsso_role_name = Reader\n`
  )
}
