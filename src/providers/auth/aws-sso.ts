import { isJsonObject, type JsonObject, parseJson } from '../../core/json.ts'
import { createRedact } from '../../core/secret.ts'
import { numberOf } from '../answer.ts'
import { bodyText } from '../error-facts.ts'
import { asked, dnsSuffix, keysIn, type TimedKeys } from './aws-fetch.ts'
import { misconfigured, readSession, type AwsProfile } from './aws-settings.ts'
import { hasExpired, signedIn, type SignIn } from './aws-sign-in.ts'
import type { AuthGround } from './ground.ts'
import { fromEnv, type Env } from './key.ts'

/** Whose keys are wanted, of those that somebody may have who signed in. */
interface Wanted extends SignIn {
  readonly account: string
  readonly role: string
}

const TIMEOUT_MS = 10_000

/**
 * The keys of a role in an account that somebody signed in to
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html, and of the portal
 * https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html, read 2026-11-27).
 */
export async function ssoKeys(
  name: string,
  profile: AwsProfile,
  env: Env,
  ground: AuthGround,
): Promise<TimedKeys> {
  const signIn = await signInOf(name, profile, env)
  const token = await signedIn(signIn, env, ground)
  const base =
    fromEnv(env, ['AWS_ENDPOINT_URL_SSO']) ??
    `https://portal.sso.${signIn.region}.${dnsSuffix(signIn.region)}`
  const query = new URLSearchParams({ role_name: signIn.role, account_id: signIn.account })
  const what = `asking for the keys of ${signIn.role} in the account ${signIn.account}`
  const wire = {
    method: 'GET',
    url: `${base.replace(/\/+$/, '')}/federation/credentials?${query.toString()}`,
    headers: { accept: 'application/json', 'x-amz-sso_bearer_token': token.reveal() },
  } as const
  const response = await asked(wire, what, TIMEOUT_MS, ground, {
    redact: createRedact([token]),
    refusal: (status) => (status === 401 ? hasExpired(signIn) : undefined),
  })
  const body = parseJson(bodyText(response))
  const keys = isJsonObject(body) && isJsonObject(body['roleCredentials']) ? body['roleCredentials'] : {}
  return keysOf(keys, `${what} brought no keys`)
}

function keysOf(keys: JsonObject, otherwise: string): TimedKeys {
  const expiresAt = numberOf(keys['expiration'])
  const { accessKeyId, secretAccessKey, sessionToken } = keys
  const found = keysIn(
    {
      AccessKeyId: accessKeyId ?? null,
      SecretAccessKey: secretAccessKey ?? null,
      Token: sessionToken ?? null,
    },
    otherwise,
  )
  return expiresAt === undefined ? found : { ...found, expiresAt }
}

async function signInOf(name: string, profile: AwsProfile, env: Env): Promise<Wanted> {
  const sessionName = profile.get('sso_session')
  const session = sessionName === undefined ? profile : await readSession(env, sessionName)
  if (session === undefined)
    throw misconfigured(
      `profile "${name}" names the sso_session "${sessionName}", and AWS's config file has none`,
    )
  const region = session.get('sso_region')
  const startUrl = session.get('sso_start_url')
  const account = profile.get('sso_account_id')
  const role = profile.get('sso_role_name')
  if (region === undefined || startUrl === undefined || account === undefined || role === undefined)
    throw misconfigured(`profile "${name}" lacks ${lacking({ region, startUrl, account, role })}`)
  if (!/^[a-z0-9-]{4,30}$/.test(region)) throw misconfigured(`"${region}" is no region of AWS (sso_region)`)
  const command = `aws sso login --profile ${name}`
  return { cacheKey: sessionName ?? startUrl, region, account, role, command }
}

function lacking(found: {
  readonly region: string | undefined
  readonly startUrl: string | undefined
  readonly account: string | undefined
  readonly role: string | undefined
}): string {
  const names = [
    found.region === undefined ? ['sso_region'] : [],
    found.startUrl === undefined ? ['sso_start_url'] : [],
    found.account === undefined ? ['sso_account_id'] : [],
    found.role === undefined ? ['sso_role_name'] : [],
  ]
  return names.flat().join(', ')
}
