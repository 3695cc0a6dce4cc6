import type { Config } from '../config/config.ts'
import { isJsonObject, type JsonObject } from '../core/json.ts'
import type { Command } from './args.ts'
import { ask, AskError, type Answer } from './ask.ts'
import { EXIT } from './exit-code.ts'
import { printProblems } from './problems.ts'
import type { Shell } from './shell.ts'
import { oneLine } from './terminal.ts'

/** A check takes up to 60 s where nothing says otherwise; the rest is for the way there and back. */
const DEFAULT_DEADLINE_MS = 70_000
const MARGIN_MS = 10_000

/**
 * `pulsegate --health`: asks the gateway that is running and prints its JSON. The answer's own text goes to
 * stdout and nothing else does, so that it can be piped into a JSON tool.
 */
export async function health(
  command: Extract<Command, { kind: 'health' }>,
  { terminal, env }: Shell,
): Promise<number> {
  const config = command.configPath === undefined ? 'none' : await configOf(command.configPath, env, terminal)
  if (config === undefined) return EXIT.refused
  const key = config === 'none' ? env['LITELLM_MASTER_KEY'] : config.general.masterKey?.reveal()
  const url = `http://${authority(command.address.host)}:${command.address.port}/health`
  try {
    const deadlineMs = config === 'none' ? DEFAULT_DEADLINE_MS : deadlineFor(config)
    const report = readReport(await ask(url, key === '' ? undefined : key, deadlineMs), url, key)
    terminal.out(JSON.stringify(report, undefined, 4))
    return isAllHealthy(report) ? EXIT.ok : EXIT.unhealthy
  } catch (error) {
    if (!(error instanceof AskError)) throw error
    terminal.err(`pulsegate: ${error.message}`)
    return EXIT.refused
  }
}

async function configOf(
  path: string,
  env: Shell['env'],
  terminal: Shell['terminal'],
): Promise<Config | undefined> {
  const { readConfig } = await import('../read-config.ts')
  const { config, problems } = await readConfig(path, env)
  if (config === undefined)
    printProblems(
      problems.filter(({ severity }) => severity === 'fatal'),
      terminal,
    )
  return config
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

function readReport(answer: Answer, url: string, key: string | undefined): JsonObject {
  const body = parse(answer.text)
  if (answer.status === 401) throw new AskError(refusedKey(url, key))
  if (answer.status !== 200)
    throw new AskError(`${url} answered ${answer.status}: ${oneLine(answer.text).slice(0, 300)}`)
  if (isJsonObject(body) && typeof body['healthy_count'] === 'number') return body
  throw new AskError(`what answers at ${url} is no gateway: its answer is not the JSON of /health`)
}

function refusedKey(url: string, key: string | undefined): string {
  return key === undefined || key === ''
    ? `${url} wants a key (401): set LITELLM_MASTER_KEY, or name the config that holds master_key with --config`
    : `${url} refused the key (401): the gateway there runs with another master key`
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not JSON: the caller says so, with the URL.
    return undefined
  }
}

/** Healthy is what has proven it: an empty list or a model not checked yet is not. */
function isAllHealthy(report: JsonObject): boolean {
  const unknown = report['unknown_endpoints']
  const waiting = Array.isArray(unknown) ? unknown.filter(isNotCheckedYet) : []
  return report['unhealthy_count'] === 0 && report['healthy_count'] !== 0 && waiting.length === 0
}

function isNotCheckedYet(entry: unknown): boolean {
  return isJsonObject(entry) && entry['reason'] === 'not_checked_yet'
}
