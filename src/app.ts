import { randomBytes, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import type { Config, Loaded } from './config/config.ts'
import { configFromModel, loadConfig } from './config/load.ts'
import type { Cancel, Clock } from './core/clock.ts'
import type { Deployment } from './core/deployment.ts'
import type { Log } from './core/log.ts'
import { createSeal } from './core/seal.ts'
import { createRedact, Secret, type Redact } from './core/secret.ts'
import type { Gateway } from './gateway/gateway.ts'
import { createGateway } from './gateway/server.ts'
import { watchLag } from './metrics/lag-watch.ts'
import { createMetrics, type Metrics } from './metrics/metrics.ts'
import { createBoard, type Board } from './health/board.ts'
import { createHealthChecks, type HealthChecks } from './health/checks.ts'
import { DEFAULT_HEALTH_SETTINGS, type HealthSettings } from './health/settings.ts'
import type { LineOrProblem } from './health/subject.ts'
import { openLine } from './providers/call.ts'
import { createModelBook } from './providers/model-facts.ts'
import { resolveModel } from './providers/registry.ts'
import { createChoice } from './routing/choice.ts'
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
  /** Lines that the log has thrown away so far; absent: it never does. */
  readonly droppedLogLines?: () => number
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
  const { board, checks, gateway, transport, metrics, prepare } = createParts(config, deps)
  let stopLagWatch: Cancel = () => {}
  let ending: Promise<void> | undefined

  // From the outside in: a request that still runs needs checks and connections until it is over.
  async function close(): Promise<void> {
    await gateway.close()
    stopLagWatch()
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
      await prepare()
      const { url } = await gateway.listen(host, port).catch(async (error: unknown) => {
        await close()
        throw new ListenError(whyNotListening(error, host, port), { cause: error })
      })
      log.info('listening', { url, deployments: config.deployments.length })
      stopLagWatch = watchLag(clock, (lateMs) => metrics.lagged(lateMs))
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
  readonly metrics: Metrics
  /** Loads what the config asks for and most configs do not need. */
  readonly prepare: () => Promise<void>
}

/** Everything that a gateway is made of, each part told of those it uses. */
function createParts(config: Config, deps: AppDeps): Parts {
  const { log, clock, random, version, redact = createRedact(config.secrets) } = deps
  const { deployments } = config
  const transport = createTransport({ clock, userAgent: `pulsegate/${version}` })
  const openTo = (deployment: Deployment): LineOrProblem =>
    openLine(deployment, { transport, env: config.env, redact, dropParams: config.litellm.dropParams })
  const lines = createLines(deployments, openTo)
  const board = createBoard(deployments, { clock })
  const { router } = config
  const directory = createDirectory(deployments, resolveModel, router.aliases)
  const settings = healthSettings(config)
  const shared = { deployments, lines, openLine: openTo, board, clock, log, random }
  const checks = createHealthChecks({ ...shared, settings })
  const metrics = createMetrics({
    deployments,
    memory: () => process.memoryUsage(),
    droppedLogLines: deps.droppedLogLines ?? (() => 0),
  })
  const book = createModelBook()
  const choice = createChoice(deployments, router, { clock, log, price: (each) => book.price(each) })
  const traffic = {
    ...shared,
    ...choice,
    directory,
    resolve: resolveModel,
    budgets: createRetryBudgets(RETRY_SHARE, clock),
    detour: (kind: 'retry' | 'fallback') => (kind === 'retry' ? metrics.retried() : metrics.fellBack()),
    ...(router.checksContextWindow && {
      maxInputTokens: (deployment: Deployment) => book.maxInputTokens(deployment),
    }),
    settings: { ...config.litellm, ...router },
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
    metrics,
    metricsNeedKey: config.litellm.metricsNeedKey,
    settings: { ...moderationDefault(deployments), ...config.general },
    redact,
    version,
    newCallId: randomUUID,
  })
  const needsBook = router.checksContextWindow || router.strategy === 'cost-based-routing'
  const prepare = (): Promise<void> => (needsBook ? book.load() : Promise.resolve())
  return { board, checks, gateway, transport, metrics, prepare }
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
