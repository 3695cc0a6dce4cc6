import { GatewayError } from '../../core/failure.ts'
import { containerKeys, instanceKeys, type TimedKeys } from './aws-fetch.ts'
import { misconfigured, readTokenFile } from './aws-settings.ts'
import type { AuthGround } from './ground.ts'
import { fromEnv, type Env } from './key.ts'

/** The keys of the container, where it has a neighbour that gives them, else the instance's. */
export async function neighbourKeys(env: Env, ground: AuthGround): Promise<TimedKeys> {
  return (await keysOfContainer(env, ground)) ?? keysOfInstance(env, ground)
}

/**
 * Undefined where the environment names no neighbour
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html, read 2026-11-27).
 */
export async function keysOfContainer(env: Env, ground: AuthGround): Promise<TimedKeys | undefined> {
  const relative = fromEnv(env, ['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'])
  const full = fromEnv(env, ['AWS_CONTAINER_CREDENTIALS_FULL_URI'])
  if (relative === undefined && full === undefined) return undefined
  const url = relative === undefined ? safeNeighbour(full ?? '') : `http://169.254.170.2${relative}`
  const file = fromEnv(env, ['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'])
  const token =
    file === undefined ? fromEnv(env, ['AWS_CONTAINER_AUTHORIZATION_TOKEN']) : await readTokenFile(file)
  return containerKeys(url, token, ground)
}

/** https://docs.aws.amazon.com/sdkref/latest/guide/feature-imds-credentials.html, read 2026-11-27 */
export async function keysOfInstance(env: Env, ground: AuthGround): Promise<TimedKeys> {
  if (fromEnv(env, ['AWS_EC2_METADATA_DISABLED'])?.toLowerCase() === 'true') throw nothingFound()
  const isSixth = fromEnv(env, ['AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE'])?.toLowerCase() === 'ipv6'
  const usual = isSixth ? 'http://[fd00:ec2::254]' : 'http://169.254.169.254'
  const base = fromEnv(env, ['AWS_EC2_METADATA_SERVICE_ENDPOINT']) ?? usual
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
