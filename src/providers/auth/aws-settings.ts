import { readFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Connection } from '../../core/deployment.ts'
import { GatewayError } from '../../core/failure.ts'
import { fromEnv, type Env } from './key.ts'

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

/** Settings of one profile; the credentials file wins over the config file. */
export type AwsProfile = ReadonlyMap<string, string>

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
  const home = fromEnv(env, ['HOME', 'USERPROFILE'])
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

async function readOptional(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined
  try {
    return await readFile(path, 'utf8')
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
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    throw unreadable(path, error)
  }
}

function unreadable(path: string, error: unknown): GatewayError {
  const why = error instanceof Error && 'code' in error ? String(error.code) : 'an unknown error'
  return new GatewayError('misconfigured', `no AWS credentials: "${path}" cannot be read (${why})`, {
    cause: error,
    source: 'gateway',
  })
}
