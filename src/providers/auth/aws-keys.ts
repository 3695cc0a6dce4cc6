import { GatewayError } from '../../core/failure.ts'
import { Secret } from '../../core/secret.ts'
import type { AuthGround } from '../adapter.ts'
import {
  assumeByToken,
  assumeRole,
  containerKeys,
  instanceKeys,
  type Role,
  type TimedKeys,
} from './aws-fetch.ts'
import { readProfile, readTokenFile, type AwsIdentity, type AwsProfile } from './aws-settings.ts'
import { fromEnv } from './key.ts'
import type { AwsKeys } from './sigv4.ts'

/** Where keys come from. */
export interface KeyRing {
  /** At once where they are at hand. @throws GatewayError auth, misconfigured or a network's, in words that say what was tried */
  now(ground: AuthGround): AwsKeys | Promise<AwsKeys>
  /** The secret ones among those fetched; another list whenever there are others. */
  fresh(): readonly Secret[]
}

/** Keys are renewed this long before they end, milliseconds, while they still hold. */
const RENEWED_BEFORE_MS = 5 * 60_000
/** From here on nobody is given them any more. */
const DEAD_BEFORE_MS = 30_000
/** Keys in files hold for good, yet files change. */
const REREAD_AFTER_MS = 5 * 60_000
/** A failure is not repeated at every request, milliseconds. */
const FAILURE_HOLDS_MS = 2_000
/** Profiles that name one another end here. */
const MAX_PROFILES = 5

/**
 * Who a deployment is to AWS, as LiteLLM looks for it: a role by a web token; else the keys written down, a profile, or
 * AWS's default chain; and with those the role to be assumed, where one is named.
 */
export function createKeyRing(who: AwsIdentity): KeyRing {
  const { setting } = who
  const arn = setting('aws_role_name')
  const role =
    arn === undefined ? undefined : roleOf(arn, setting('aws_session_name'), setting('aws_external_id'))
  const token = setting('aws_web_identity_token')
  if (role !== undefined && token !== undefined)
    return remembering(async (ground) => assumeByToken(role, await webToken(token, who), who, ground))
  const plain = writtenKeys(who)
  if (role === undefined)
    return plain === undefined ? remembering((ground) => found(who, ground)) : fixed(plain)
  return remembering(async (ground) => assumeRole(role, plain ?? (await found(who, ground)), who, ground))
}

function roleOf(arn: string, session: string | undefined, externalId: string | undefined): Role {
  return {
    arn,
    ...(session !== undefined && { session }),
    ...(externalId !== undefined && { externalId }),
  }
}

/** The keys that need not be looked for: of the deployment, else of the environment where no profile is named. */
function writtenKeys({ setting, env }: AwsIdentity): AwsKeys | undefined {
  const own = keysFrom((name) => setting(name))
  if (own !== undefined || setting('aws_profile_name') !== undefined) return own
  return keysFrom((name) => env[name.toUpperCase()])
}

function keysFrom(value: (name: string) => string | undefined): AwsKeys | undefined {
  const accessKeyId = value('aws_access_key_id')
  const secretAccessKey = value('aws_secret_access_key')
  const sessionToken = value('aws_session_token')
  if (!accessKeyId || !secretAccessKey) return undefined
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) }
}

/** AWS's default chain behind the environment's own keys (https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html). */
async function found(who: AwsIdentity, ground: AuthGround): Promise<TimedKeys> {
  const { setting, env } = who
  const named = setting('aws_profile_name')
  if (named !== undefined) return profileKeys(named, who, ground, MAX_PROFILES)
  const file = fromEnv(env, ['AWS_WEB_IDENTITY_TOKEN_FILE'])
  const arn = fromEnv(env, ['AWS_ROLE_ARN'])
  if (file && arn) {
    const role = roleOf(arn, fromEnv(env, ['AWS_ROLE_SESSION_NAME']), undefined)
    return assumeByToken(role, await readTokenFile(file), who, ground)
  }
  const profile = fromEnv(env, ['AWS_PROFILE']) || 'default'
  const isThere = fromEnv(env, ['AWS_PROFILE']) || canGiveKeys(await readProfile(env, profile))
  if (isThere) return profileKeys(profile, who, ground, MAX_PROFILES)
  return neighbourKeys(who, ground)
}

/** A default profile may hold no more than a region. */
function canGiveKeys(profile: AwsProfile | undefined): boolean {
  const names = ['aws_access_key_id', 'role_arn', 'credential_process', 'sso_session', 'sso_start_url']
  return profile !== undefined && names.some((name) => profile.has(name))
}

/** The container's, else the instance's. */
async function neighbourKeys({ env }: AwsIdentity, ground: AuthGround): Promise<TimedKeys> {
  const relative = fromEnv(env, ['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'])
  const full = fromEnv(env, ['AWS_CONTAINER_CREDENTIALS_FULL_URI'])
  if (relative || full) {
    const url = relative ? `http://169.254.170.2${relative}` : safeNeighbour(full ?? '')
    const file = fromEnv(env, ['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'])
    const token = file ? await readTokenFile(file) : fromEnv(env, ['AWS_CONTAINER_AUTHORIZATION_TOKEN'])
    return containerKeys(url, token, ground)
  }
  if (fromEnv(env, ['AWS_EC2_METADATA_DISABLED'])?.toLowerCase() === 'true') throw nothingFound()
  const base = fromEnv(env, ['AWS_EC2_METADATA_SERVICE_ENDPOINT']) || 'http://169.254.169.254'
  return instanceKeys(base.replace(/\/+$/, ''), ground).catch((error: unknown): never => {
    throw nothingFound(error)
  })
}

/** A token goes there in the clear: only this machine, or an address of ECS or EKS, may have it without TLS. */
function safeNeighbour(url: string): string {
  const { protocol, hostname } = URL.canParse(url) ? new URL(url) : { protocol: '', hostname: '' }
  const isNear = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|169\.254\.170\.(2|23)|\[fd00:ec2::23\])$/.test(
    hostname,
  )
  if (protocol === 'https:' || (protocol === 'http:' && isNear)) return url
  throw misconfigured(`AWS_CONTAINER_CREDENTIALS_FULL_URI "${url}" is neither https nor on this machine`)
}

function nothingFound(cause?: unknown): GatewayError {
  const why = cause instanceof Error ? ` (${cause.message})` : ''
  return new GatewayError(
    'misconfigured',
    'no AWS credentials: set aws_access_key_id and aws_secret_access_key, aws_profile_name or aws_role_name in ' +
      'litellm_params, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, AWS_WEB_IDENTITY_TOKEN_FILE, ' +
      `AWS_BEARER_TOKEN_BEDROCK, or an IAM role of this machine${why}`,
    { cause, source: 'gateway' },
  )
}

function misconfigured(message: string): GatewayError {
  return new GatewayError('misconfigured', `no AWS credentials: ${message}`, { source: 'gateway' })
}

/** The keys of a profile, or of the role that it assumes. */
async function profileKeys(
  name: string,
  who: AwsIdentity,
  ground: AuthGround,
  left: number,
): Promise<TimedKeys> {
  const profile = left > 0 ? await readProfile(who.env, name) : undefined
  if (profile === undefined) {
    throw misconfigured(
      left > 0 ? `no profile "${name}" in AWS's files` : 'profiles name one another in a circle',
    )
  }
  const own = keysFrom((key) => profile.get(key))
  const arn = profile.get('role_arn')
  if (arn === undefined) {
    if (own !== undefined) return { ...own, expiresAt: ground.now() + REREAD_AFTER_MS + RENEWED_BEFORE_MS }
    const odd = ['credential_process', 'sso_session', 'sso_start_url'].find((key) => profile.has(key))
    const why =
      odd === undefined ? 'has no aws_access_key_id and no role_arn' : `needs ${odd}, which is not supported`
    throw misconfigured(`profile "${name}" ${why}`)
  }
  const role = roleOf(arn, profile.get('role_session_name'), profile.get('external_id'))
  const file = profile.get('web_identity_token_file')
  if (file !== undefined) return assumeByToken(role, await readTokenFile(file), who, ground)
  return assumeRole(role, await sourceKeys(name, profile, own, who, ground, left), who, ground)
}

async function sourceKeys(
  name: string,
  profile: AwsProfile,
  own: AwsKeys | undefined,
  who: AwsIdentity,
  ground: AuthGround,
  left: number,
): Promise<AwsKeys> {
  const source = profile.get('source_profile')
  if (source === name && own !== undefined) return own
  if (source !== undefined) return profileKeys(source, who, ground, left - 1)
  const kind = profile.get('credential_source')
  const keys = kind === 'Environment' ? keysFrom((key) => who.env[key.toUpperCase()]) : undefined
  if (keys !== undefined) return keys
  if (kind === 'EcsContainer' || kind === 'Ec2InstanceMetadata') return neighbourKeys(who, ground)
  throw misconfigured(`profile "${name}" names a role, but nobody who may assume it: set source_profile`)
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

function fixed(keys: AwsKeys): KeyRing {
  return { now: () => keys, fresh: () => [] }
}

interface Failed {
  readonly at: number
  readonly error: unknown
}

/** Fetched once for all who wait, kept until shortly before they end, and renewed while the old ones still hold. */
function remembering(fetch: (ground: AuthGround) => Promise<TimedKeys>): KeyRing {
  let kept: TimedKeys | undefined
  let secrets: readonly Secret[] = []
  let running: Promise<TimedKeys> | undefined
  let failed: Failed | undefined
  const renew = (ground: AuthGround): Promise<TimedKeys> => {
    running ??= fetch(ground)
      .then(
        (keys) => {
          kept = keys
          failed = undefined
          secrets = [keys.secretAccessKey, keys.sessionToken ?? ''].map((text) => new Secret(text))
          return keys
        },
        (error: unknown): never => {
          failed = { at: ground.now(), error }
          throw error
        },
      )
      .finally(() => {
        running = undefined
      })
    return running
  }
  return {
    fresh: () => secrets,
    now: (ground) => {
      const at = ground.now()
      const left = (kept?.expiresAt ?? Infinity) - at
      if (kept !== undefined && left > RENEWED_BEFORE_MS) return kept
      const isBarred = failed !== undefined && at - failed.at < FAILURE_HOLDS_MS
      if (kept !== undefined && left > DEAD_BEFORE_MS) {
        // Whoever comes after their end hears of a failure.
        if (!isBarred) renew(ground).catch(() => {})
        return kept
      }
      return isBarred ? Promise.reject(failed?.error) : renew(ground)
    },
  }
}
