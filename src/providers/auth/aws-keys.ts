import type { Secret } from '../../core/secret.ts'
import { assumeByToken, assumeRole, type Role, type TimedKeys } from './aws-fetch.ts'
import { neighbourKeys } from './aws-neighbours.ts'
import { assumesRole, givesKeys, profileKeys } from './aws-profile.ts'
import { keysFrom, misconfigured, profileOfEnv, readProfile, readTokenFile } from './aws-settings.ts'
import type { AwsIdentity } from './aws-settings.ts'
import { sharedAwsKeys } from './credentials.ts'
import type { AuthGround, Granted, Source } from './ground.ts'
import { fromEnv } from './key.ts'
import { secretsOf, type AwsKeys } from './sigv4.ts'

/** All settings of a deployment that say who it is to AWS. */
const SETTINGS = [
  'aws_access_key_id',
  'aws_secret_access_key',
  'aws_session_token',
  'aws_profile_name',
  'aws_role_name',
  'aws_session_name',
  'aws_external_id',
  'aws_web_identity_token',
  'aws_sts_endpoint',
] as const

/**
 * Who a deployment is to AWS, as LiteLLM looks for it: a role by a web token; else the keys written down, a profile, or
 * AWS's default chain; and with those the role to be assumed, where one is named.
 * @throws GatewayError (where keys are asked for) auth, misconfigured or a network's, in words that say what was tried
 */
export function awsKeys(who: AwsIdentity): Source<AwsKeys> {
  const { setting } = who
  const arn = setting('aws_role_name')
  const role: Role | undefined =
    arn === undefined
      ? undefined
      : { arn, session: setting('aws_session_name'), externalId: setting('aws_external_id') }
  const plain = writtenKeys(who)
  if (role === undefined && plain !== undefined) return atHand(plain)
  const identity = [who.region, ...SETTINGS.map((name) => setting(name))]
  return sharedAwsKeys(identity, async (ground) =>
    asGranted(await fetchKeys(who, role, plain, ground), ground),
  )
}

async function fetchKeys(
  who: AwsIdentity,
  role: Role | undefined,
  plain: AwsKeys | undefined,
  ground: AuthGround,
): Promise<TimedKeys> {
  const token = who.setting('aws_web_identity_token')
  if (role !== undefined && token !== undefined)
    return assumeByToken(role, await webToken(token, who), who, ground)
  const own = plain ?? (await found(who, ground))
  return role === undefined ? own : assumeRole(role, own, who, ground)
}

function asGranted(keys: TimedKeys, ground: AuthGround): Granted<AwsKeys> {
  const { expiresAt = Infinity } = keys
  return { value: keys, secrets: secretsOf(keys), receivedAt: ground.now(), expiresAt }
}

const NOTHING: readonly Secret[] = []

function atHand(keys: AwsKeys): Source<AwsKeys> {
  return { get: () => keys, freshSecrets: () => NOTHING }
}

/** The keys that need not be looked for: of the deployment, else of the environment where no profile is named. */
function writtenKeys({ setting, env }: AwsIdentity): AwsKeys | undefined {
  const own = keysFrom((name) => setting(name))
  if (own !== undefined || setting('aws_profile_name') !== undefined) return own
  return keysFrom((name) => env[name.toUpperCase()])
}

/**
 * AWS's default chain behind the environment's own keys, in the order of the SDK that LiteLLM uses
 * (https://docs.aws.amazon.com/boto3/latest/guide/credentials.html, read 2026-11-27): a profile's role; a role by the
 * web token that a pod is given; the profile's other ways; the container; the instance.
 */
async function found(who: AwsIdentity, ground: AuthGround): Promise<TimedKeys> {
  const { setting, env } = who
  const named = setting('aws_profile_name')
  if (named !== undefined) return profileKeys(named, who, ground)
  const chosen = profileOfEnv(env)
  const name = chosen ?? 'default'
  const profile = await readProfile(env, name)
  if (chosen !== undefined && profile === undefined)
    throw misconfigured(`no profile "${name}" in AWS's files`)
  if (assumesRole(profile)) return profileKeys(name, who, ground)
  const file = fromEnv(env, ['AWS_WEB_IDENTITY_TOKEN_FILE'])
  const arn = fromEnv(env, ['AWS_ROLE_ARN'])
  if (file !== undefined && arn !== undefined) {
    const role = { arn, session: fromEnv(env, ['AWS_ROLE_SESSION_NAME']) }
    return assumeByToken(role, await readTokenFile(file), who, ground)
  }
  return givesKeys(profile) ? profileKeys(name, who, ground) : neighbourKeys(env, ground)
}

/** LiteLLM's ways to write a web token: itself, or `oidc/file/<path>`, `oidc/env/<name>`, `oidc/env_path/<name>`, or a path. */
async function webToken(written: string, { env }: AwsIdentity): Promise<string> {
  const [, kind, rest = ''] = /^oidc\/([^/]+)\/(.*)$/.exec(written) ?? []
  if (kind === 'file') return readTokenFile(rest.startsWith('/') ? rest : `/${rest}`)
  if (kind === 'env_path') return readTokenFile(env[rest] ?? rest)
  if (kind === 'env') {
    const value = env[rest]
    if (!value) throw misconfigured(`aws_web_identity_token names ${rest}, which is not set`)
    return value
  }
  if (kind !== undefined) throw misconfigured(`aws_web_identity_token by "oidc/${kind}" is not supported`)
  return written.startsWith('/') ? readTokenFile(written) : written
}
