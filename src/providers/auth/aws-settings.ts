import { readFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Connection } from '../../core/deployment.ts'
import { GatewayError } from '../../core/failure.ts'
import { fromEnv, type Env } from './key.ts'
import type { AwsKeys } from './sigv4.ts'

/** What of a deployment and of the environment says who we are to AWS. */
export interface AwsIdentity {
  /** A setting of `litellm_params`, secret or not; undefined where it is absent or empty. */
  readonly setting: (name: string) => string | undefined
  readonly env: Env
  readonly region: string
}

/** Reads a deployment's AWS settings by their names. */
export function awsSetting({ settings, secrets }: Connection): AwsIdentity['setting'] {
  return (name) => {
    const value = secrets?.[name]?.reveal() ?? settings?.[name]
    return value === '' ? undefined : value
  }
}

/** Keys that stand next to each other under their usual names. */
export function keysFrom(value: (name: string) => string | undefined): AwsKeys | undefined {
  const accessKeyId = value('aws_access_key_id')
  const secretAccessKey = value('aws_secret_access_key')
  const sessionToken = value('aws_session_token')
  if (!accessKeyId || !secretAccessKey) return undefined
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) }
}

/** The profile that the environment names. */
export function profileOfEnv(env: Env): string | undefined {
  return fromEnv(env, ['AWS_PROFILE', 'AWS_DEFAULT_PROFILE'])
}

/** The folder that AWS's own is in. */
export function homeOf(env: Env): string | undefined {
  return fromEnv(env, ['HOME', 'USERPROFILE'])
}

/** Settings of one profile; the credentials file wins over the config file. */
export type AwsProfile = ReadonlyMap<string, string>

const FILE_TIMEOUT_MS = 5_000

interface ProfileFiles {
  readonly credentials: string | undefined
  readonly config: string | undefined
}

/** A profile of the shared files; undefined where neither has it. */
export async function readProfile(env: Env, name: string): Promise<AwsProfile | undefined> {
  const { credentials, config } = pathsOf(env)
  const [secret = '', plain = ''] = await Promise.all([readOptional(credentials), readOptional(config)])
  return profileIn(secret, plain, name)
}

/** A sign-in that profiles share; it stands in the config file alone. */
export async function readSession(env: Env, name: string): Promise<AwsProfile | undefined> {
  return sectionsOf((await readOptional(pathsOf(env).config)) ?? '').get(`sso-session ${name}`)
}

/**
 * The region of a profile, read at once: a deployment's address depends on it. Without `HOME` and without a named
 * file nothing is read.
 */
export function profileRegion(env: Env, name: string): string | undefined {
  const { config } = pathsOf(env)
  if (config === undefined) return undefined
  try {
    return profileIn('', readFileSync(config, 'utf8'), name)?.get('region')
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

/** https://docs.aws.amazon.com/sdkref/latest/guide/file-location.html */
function pathsOf(env: Env): ProfileFiles {
  const home = homeOf(env)
  const inHome = (name: string): string | undefined =>
    home === undefined ? undefined : join(home, '.aws', name)
  return {
    credentials: fromEnv(env, ['AWS_SHARED_CREDENTIALS_FILE']) ?? inHome('credentials'),
    config: fromEnv(env, ['AWS_CONFIG_FILE']) ?? inHome('config'),
  }
}

/** https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html: in the config file a profile is `[profile name]`. */
function profileIn(credentials: string, config: string, name: string): AwsProfile | undefined {
  const plain = sectionsOf(config)
  const found = [
    name === 'default' ? plain.get('default') : undefined,
    plain.get(`profile ${name}`),
    sectionsOf(credentials).get(name),
  ].filter((section) => section !== undefined)
  return found.length === 0 ? undefined : new Map(found.flatMap((section) => Array.from(section)))
}

function sectionsOf(text: string): ReadonlyMap<string, AwsProfile> {
  const sections = new Map<string, Map<string, string>>()
  let section = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const [, title] = /^\s*\[\s*([^\]]+?)\s*\]/.exec(line) ?? []
    if (title !== undefined) {
      section = new Map()
      sections.set(title.replaceAll(/\s+/g, ' ').replaceAll(/["']/g, ''), section)
      continue
    }
    const [, key, value = ''] = /^([\w.-]+)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (key !== undefined) section.set(key.toLowerCase(), value)
  }
  return sections
}

function readInTime(path: string): Promise<string> {
  return readFile(path, { encoding: 'utf8', signal: AbortSignal.timeout(FILE_TIMEOUT_MS) })
}

async function readOptional(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined
  try {
    return await readInTime(path)
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw unreadable(path, error)
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}

/** A file that must be there. @throws GatewayError misconfigured */
export async function readTokenFile(path: string): Promise<string> {
  try {
    return (await readInTime(path)).trim()
  } catch (error) {
    throw unreadable(path, error)
  }
}

function unreadable(path: string, error: unknown): GatewayError {
  return misconfigured(`"${path}" cannot be read (${whyUnreadable(error)})`, error)
}

/** In a word. */
export function whyUnreadable(error: unknown): string {
  if (error instanceof Error && error.name === 'AbortError') return 'it takes too long'
  return error instanceof Error && 'code' in error ? String(error.code) : 'an unknown error'
}

/** What must be mended where the deployment, the environment or AWS's files are written. */
export function misconfigured(message: string, cause?: unknown): GatewayError {
  return new GatewayError('misconfigured', `no AWS credentials: ${message}`, { cause, source: 'gateway' })
}
