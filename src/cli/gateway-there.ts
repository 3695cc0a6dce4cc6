import type { Config } from '../config/config.ts'
import type { JsonObject } from '../core/json.ts'
import { isJsonObject } from '../core/json.ts'
import type { Address } from './args.ts'
import { ask, AskError } from './ask.ts'
import { printProblems } from './problems.ts'
import type { Shell } from './shell.ts'
import { oneLine } from './terminal.ts'

/** A gateway that runs somewhere, and what opens it. */
export interface GatewayThere {
  /** `http://host:port` */
  readonly url: string
  readonly key: string | undefined
  /** How long a live check of everything may take. */
  readonly deadlineMs: number
}

/** A check takes up to 60 s where nothing says otherwise; the rest is for the way there and back. */
const DEFAULT_DEADLINE_MS = 70_000
const MARGIN_MS = 10_000

/** The gateway of this address; its key stands in the config, else in LITELLM_MASTER_KEY. */
export function gatewayThere(address: Address, config: Config | undefined, env: Shell['env']): GatewayThere {
  const key = config === undefined ? env['LITELLM_MASTER_KEY'] : config.general.masterKey?.reveal()
  return {
    url: `http://${authority(address.host)}:${address.port}`,
    key: key === '' ? undefined : key,
    deadlineMs: config === undefined ? DEFAULT_DEADLINE_MS : deadlineFor(config),
  }
}

/** The config that a command is given; `refused`: it cannot be read, and the terminal says why. */
export async function configFor(
  path: string | undefined,
  { env, terminal }: Pick<Shell, 'env' | 'terminal'>,
): Promise<Config | undefined | 'refused'> {
  if (path === undefined) return undefined
  const { readConfig } = await import('../read-config.ts')
  const { config, problems } = await readConfig(path, env)
  if (config !== undefined) return config
  const fatal = problems.filter(({ severity }) => severity === 'fatal')
  printProblems(fatal, terminal)
  return 'refused'
}

/**
 * GETs a route of the gateway and reads its JSON; `statuses`: those that are an answer.
 * @throws AskError where there is none
 */
export async function askGateway(
  { url, key, deadlineMs }: GatewayThere,
  path: string,
  statuses: readonly number[] = [200],
): Promise<{ readonly status: number; readonly body: JsonObject }> {
  const { status, text } = await ask(url + path, key, deadlineMs)
  if (status === 401) throw new AskError(refusedKey(url + path, key))
  if (!statuses.includes(status))
    throw new AskError(`${url}${path} answered ${status}: ${oneLine(text).slice(0, 300)}`)
  const body = parse(text)
  if (isJsonObject(body)) return { status, body }
  throw new AskError(`what answers at ${url}${path} is no gateway: its answer is no JSON object`)
}

/** Why a gateway does not take the key. */
export function refusedKey(url: string, key: string | undefined): string {
  return key === undefined || key === ''
    ? `${url} wants a key (401): set LITELLM_MASTER_KEY, or name the config that holds master_key with --config`
    : `${url} refused the key (401): the gateway there runs with another master key`
}

/** Where a listener on every address can be reached. */
function authority(host: string): string {
  if (host === '0.0.0.0' || host === '') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}

/** A live answer takes as long as the slowest deployment may. */
function deadlineFor({ deployments, probing }: Config): number {
  const slowest = deployments.reduce(
    (longest, { probe }) => Math.max(longest, probe.timeoutMs ?? 0),
    probing.timeoutMs,
  )
  return Math.max(DEFAULT_DEADLINE_MS, slowest + MARGIN_MS)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not JSON: the caller says so, with the URL.
    return undefined
  }
}
