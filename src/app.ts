import { randomBytes, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { destination, pino, stdTimeFunctions } from 'pino'
import type { Config, Loaded } from './config/config.ts'
import { configFromModel, loadConfig } from './config/load.ts'
import type { Clock } from './core/clock.ts'
import type { Deployment } from './core/deployment.ts'
import type { Log, LogFields } from './core/log.ts'
import { createSeal } from './core/seal.ts'
import { createRedact, Secret, type Redact } from './core/secret.ts'
import type { Gateway } from './gateway/gateway.ts'
import { createGateway } from './gateway/server.ts'
import { createBoard, type Board } from './health/board.ts'
import { createHealthChecks, type HealthChecks } from './health/checks.ts'
import { DEFAULT_HEALTH_SETTINGS, type HealthSettings } from './health/settings.ts'
import type { LineOrProblem } from './health/subject.ts'
import { openLine } from './providers/call.ts'
import { resolveModel } from './providers/registry.ts'
import { createCooldowns } from './routing/cooldown.ts'
import { createDirectory } from './routing/directory.ts'
import { moderationDefault } from './routing/moderation-default.ts'
import { createObjects } from './routing/objects.ts'
import { createRealtimeKeys } from './routing/realtime-keys.ts'
import { createRealtimeRelay } from './routing/realtime.ts'
import { createRelay } from './routing/relay.ts'
import { createRetryBudgets } from './routing/retry-budget.ts'
import { createSessionKeys } from './routing/session-keys.ts'
import { createTransport } from './transport/transport.ts'
import type { Transport } from './transport/wire.ts'

/** What an app needs besides its config. */
export interface AppDeps {
  readonly log: Log
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  /** Ours, shown as `pulsegate_version`. */
  readonly version: string
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Hides the config's secrets; given where the log has one already, for a large config's takes time to make. */
  readonly redact?: Redact
  /** Check every deployment once at start, even where background checks are off. */
  readonly checksAtStart?: boolean
  /** Called once the listener is bound, before the first check is sent. */
  readonly onListening?: (url: string) => void
}

/** A whole gateway: listener, health checks and connections. */
export interface App {
  readonly board: Board
  /** @throws ListenError when the address cannot be had */
  start(): Promise<{ readonly url: string }>
  /**
   * Drains and ends: readiness says 503 at once, new requests are served for `drain_delay`, running ones until
   * the drain cap. Afterwards nothing is left running. Calling it again waits for the same end.
   */
  stop(): Promise<void>
}

/** The address cannot be listened on; the message is one sentence for the user. */
export class ListenError extends Error {}

type Env = Readonly<Record<string, string | undefined>>

/** Retries of a model group as a share of its recent requests, so that an outage is not multiplied. */
const RETRY_SHARE = 0.2

/** Builds a gateway; nothing runs before `start`. Several can live in one process. */
export function createApp(config: Config, deps: AppDeps): App {
  const { log, clock, host, port } = deps
  const { board, checks, gateway, transport } = createParts(config, deps)
  let ending: Promise<void> | undefined

  // From the outside in: a request that still runs needs checks and connections until it is over.
  async function close(): Promise<void> {
    await gateway.close()
    await checks.stop()
    await transport.close()
  }

  async function drain(): Promise<void> {
    const { drainDelayMs, drainTimeoutMs } = config.general
    log.info('draining', { delay_ms: drainDelayMs, cap_ms: drainTimeoutMs })
    gateway.drain()
    await new Promise<void>((resolve) => void clock.after(drainDelayMs, resolve))
    await close()
    log.info('stopped')
  }

  return {
    board,
    start: async () => {
      const { url } = await gateway.listen(host, port).catch(async (error: unknown) => {
        await close()
        throw new ListenError(whyNotListening(error, host, port), { cause: error })
      })
      log.info('listening', { url, deployments: config.deployments.length })
      deps.onListening?.(url)
      checks.start()
      if (deps.checksAtStart === true)
        checks
          .startOnce()
          .catch((error: unknown) => log.error('first_checks_failed', { message: String(error) }))
      return { url }
    },
    stop: () => (ending ??= drain()),
  }
}

interface Parts {
  readonly board: Board
  readonly checks: HealthChecks
  readonly gateway: Gateway
  readonly transport: Transport
}

/** Everything that a gateway is made of, each part told of those it uses. */
function createParts(config: Config, deps: AppDeps): Parts {
  const { log, clock, random, version, redact = createRedact(config.secrets) } = deps
  const { deployments } = config
  const transport = createTransport({ clock, userAgent: `pulsegate/${version}` })
  const openTo = (deployment: Deployment): LineOrProblem =>
    openLine(deployment, { transport, env: config.env, redact })
  const lines = createLines(deployments, openTo)
  const board = createBoard(deployments, { clock })
  const directory = createDirectory(deployments, resolveModel)
  const settings = healthSettings(config)
  const shared = { deployments, lines, openLine: openTo, board, clock, log, random }
  const checks = createHealthChecks({ ...shared, settings })
  const cooldowns = createCooldowns(config.router.cooldowns, { clock, log })
  const traffic = {
    ...shared,
    directory,
    cooldowns,
    budgets: createRetryBudgets(RETRY_SHARE, clock),
    resolve: resolveModel,
    settings: { ...config.litellm, ...config.router },
  }
  // Without a master key nobody is kept out, and the keys are this process's own.
  const sealing = config.general.masterKey ?? new Secret(randomBytes(32).toString('hex'))
  const sessionKeys = createSessionKeys(createSeal(sealing, 'realtime session', randomBytes), clock)
  const gateway = createGateway({
    ...shared,
    directory,
    checks,
    relay: createRelay(traffic),
    realtime: createRealtimeRelay(traffic),
    realtimeKeys: createRealtimeKeys({ ...traffic, sessionKeys }),
    sessionKeys,
    objects: createObjects(traffic),
    settings: { ...moderationDefault(deployments), ...config.general },
    redact,
    version,
    newCallId: randomUUID,
  })
  return { board, checks, gateway, transport }
}

/** Each deployment's line, opened when it is first asked for: a large config listens at once. */
function createLines(
  deployments: readonly Deployment[],
  openTo: (deployment: Deployment) => LineOrProblem,
): (index: number) => LineOrProblem {
  const opened = new Map<number, LineOrProblem>()
  return (index) => {
    const known = opened.get(index)
    if (known !== undefined) return known
    const deployment = deployments[index]
    if (deployment === undefined) return { misconfigured: { message: `there is no deployment ${index}` } }
    const line = openTo(deployment)
    opened.set(index, line)
    return line
  }
}

function healthSettings({ general, probing }: Config): HealthSettings {
  const { healthCheckIntervalMs, healthCheckConcurrency, backgroundHealthCheckModelGroups } = general
  return {
    ...DEFAULT_HEALTH_SETTINGS,
    backgroundHealthChecks: general.backgroundHealthChecks,
    ...(healthCheckIntervalMs === undefined ? {} : { intervalMs: healthCheckIntervalMs }),
    ...(healthCheckConcurrency === undefined ? {} : { concurrency: healthCheckConcurrency }),
    ...(backgroundHealthCheckModelGroups === undefined ? {} : { groups: backgroundHealthCheckModelGroups }),
    skipDisabledBackgroundModels: general.skipDisabledBackgroundModels,
    ...(general.healthCheckOnRequest === undefined ? {} : { onRequest: general.healthCheckOnRequest }),
    probeTimeoutMs: probing.timeoutMs,
    prompt: probing.prompt,
    ...(probing.maxTokens === undefined ? {} : { maxTokens: probing.maxTokens }),
    ...(probing.maxTokensReasoning === undefined ? {} : { maxTokensReasoning: probing.maxTokensReasoning }),
    ...(general.healthCheckRung === 'minimal' ? { rung: 'minimal' } : {}),
    ignoreTransientErrors: general.ignoreTransientErrors,
  }
}

function whyNotListening(error: unknown, host: string, port: number): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE')
    return `port ${port} on ${host} is in use: end what listens there, or choose another --port`
  if (code === 'EACCES')
    return `port ${port} needs more rights than this process has: choose a --port above 1023`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `${host} is no address of this machine: check --host and the variable HOST`
  return `cannot listen on ${host}:${port}: ${error instanceof Error ? error.message : String(error)}`
}

/** The loader refuses far less than this and says how large the file is; an endless one ends here. */
const MAX_CONFIG_BYTES = 256 * 1024 * 1024

/** Reads a config file with what it includes. Problems are values; only a bug throws. */
export function readConfig(path: string, env: Env): Promise<Loaded> {
  return loadConfig({ path, readFile: readFileBounded, env, resolve: resolveModel })
}

/** The config of one model that stands on the command line. */
export function readModel(
  wanted: { readonly model: string; readonly apiBase?: string; readonly apiVersion?: string },
  env: Env,
): Promise<Loaded> {
  const { model, ...rest } = wanted
  return configFromModel(model, { ...rest, readFile: readFileBounded, env, resolve: resolveModel })
}

/** Reads a config that is no file; nothing of this machine, neither files nor variables, gets into it. */
export function readConfigText(path: string, text: string): Promise<Loaded> {
  const readFile = (wanted: string): Promise<Uint8Array> =>
    wanted.endsWith(path)
      ? Promise.resolve(Buffer.from(text))
      : Promise.reject(Object.assign(new Error(`${wanted} is not there`), { code: 'ENOENT' }))
  return loadConfig({ path, readFile, env: {}, resolve: resolveModel })
}

function readFileBounded(path: string): Promise<Uint8Array> {
  return buffer(createReadStream(path, { end: MAX_CONFIG_BYTES - 1 }))
}

/** A Log that can be emptied before the process ends. */
export interface JsonLog extends Log {
  /** Begins to write whatever is left. */
  flush(): void
}

/** LiteLLM's level names, which are Python's, and their equals here. */
const LEVELS: Readonly<Record<string, string>> = {
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  critical: 'fatal',
  silent: 'silent',
}

/** The level that PULSEGATE_LOG or LITELLM_LOG names; undefined where neither names one that exists. */
export function logLevelOf(env: Env): string | undefined {
  return LEVELS[(env['PULSEGATE_LOG'] ?? env['LITELLM_LOG'] ?? '').toLowerCase()]
}

/** JSON lines on stderr, written without waiting. Every text in them passes through `redact`. */
export function createJsonLog(settings: { readonly level: string; readonly redact: Redact }): JsonLog {
  const stderr = destination({ dest: 2, sync: false })
  // Nobody reads the log any more, or its disk is full: that must not end the gateway.
  stderr.on('error', () => {})
  // It tries for ever, in a loop that nothing interrupts, where the disk is full; the process ends without it just
  // as well, after the writes that are under way.
  stderr.flushSync = () => {}
  const logger = pino(
    {
      level: settings.level,
      base: null,
      messageKey: 'event',
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    stderr,
  )
  const clean = (fields: LogFields): LogFields =>
    Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [
        name,
        typeof value === 'string' ? settings.redact(value) : value,
      ]),
    )
  return {
    debug: (event, fields = {}) => logger.isLevelEnabled('debug') && logger.debug(clean(fields), event),
    info: (event, fields = {}) => logger.info(clean(fields), event),
    warn: (event, fields = {}) => logger.warn(clean(fields), event),
    error: (event, fields = {}) => logger.error(clean(fields), event),
    flush: () => stderr.flush(),
  }
}
