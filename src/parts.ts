import { randomBytes, randomUUID } from 'node:crypto'
import type { Config } from './config/config.ts'
import type { Clock } from './core/clock.ts'
import type { Deployment } from './core/deployment.ts'
import type { Log } from './core/log.ts'
import { createSeal } from './core/seal.ts'
import { createRedact, Secret, type Redact } from './core/secret.ts'
import type { Gateway, GatewayDeps } from './gateway/gateway.ts'
import { createGateway } from './gateway/server.ts'
import { createMetrics, type Metrics } from './metrics/metrics.ts'
import { createRecentLag, type RecentLag } from './metrics/recent-lag.ts'
import type { Board } from './health/board.ts'
import { createHealthChecks, type HealthChecks } from './health/checks.ts'
import { defaultPrice } from './health/default-price.ts'
import { DEFAULT_HEALTH_SETTINGS, type HealthSettings } from './health/settings.ts'
import type { LineOrProblem } from './health/subject.ts'
import { openLine } from './providers/call.ts'
import { createModelBook } from './providers/model-facts.ts'
import { resolveModel } from './providers/registry.ts'
import { createChoice } from './routing/choice.ts'
import { createDirectory } from './routing/directory.ts'
import { fallbackModels } from './routing/fallbacks.ts'
import { moderationDefault } from './routing/moderation-default.ts'
import { createObjects, type ObjectDeps } from './routing/objects.ts'
import { createRealtimeKeys, type RealtimeKeyDeps } from './routing/realtime-keys.ts'
import { createRealtimeRelay, type RealtimeDeps } from './routing/realtime.ts'
import { createRelay, type RelayDeps } from './routing/relay.ts'
import { createRetryBudgets } from './routing/retry-budget.ts'
import { createSessionKeys } from './routing/session-keys.ts'
import { createTransports, type Transports } from './transport/transports.ts'

/** Retries of a model group as a share of its recent requests, so that an outage is not multiplied. */
const RETRY_SHARE = 0.2

/** What parts need besides the config. */
export interface PartsDeps {
  readonly log: Log
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  /** Ours, shown as `pulsegate_version`. */
  readonly version: string
  /** Hides the config's secrets; given where the log has one already, for a large config's takes time to make. */
  readonly redact?: Redact
  /** Lines that the log has thrown away so far; absent: it never does. */
  readonly droppedLogLines?: () => number
}

/** A gateway's parts, wired to each other; nothing runs yet. */
export interface Parts {
  readonly board: Board
  readonly checks: HealthChecks
  readonly gateway: Gateway
  readonly transports: Transports
  readonly metrics: Metrics
  /** To be told of the event loop's lag. */
  readonly lag: RecentLag
  /** Loads what the config asks for and most configs do not need. */
  readonly prepare: () => Promise<void>
}

/** Everything that a gateway is made of, each part told of those it uses. */
export function createParts(config: Config, deps: PartsDeps): Parts {
  const { log, clock, random, version, redact = createRedact(config.secrets) } = deps
  const { deployments } = config
  const transports = createTransports({
    ...config.network,
    clock,
    env: config.env,
    userAgent: `pulsegate/${version}`,
  })
  const openTo = (deployment: Deployment): LineOrProblem =>
    openLine(deployment, {
      transport: transports.of(deployment.connection.sslVerify),
      env: config.env,
      redact,
      dropParams: config.litellm.dropParams,
    })
  const lines = createLines(deployments, openTo)
  const { router } = config
  const directory = createDirectory(deployments, resolveModel, router.aliases)
  const settings = healthSettings(config)
  const shared = { deployments, lines, openLine: openTo, clock, log, random }
  const lag = createRecentLag()
  const checks = createHealthChecks({ ...shared, priceOf: defaultPrice, lagMs: lag.p99Ms, settings })
  const { board } = checks
  const metrics = createMetrics({
    deployments,
    memory: () => process.memoryUsage(),
    droppedLogLines: deps.droppedLogLines ?? (() => 0),
  })
  const book = createModelBook()
  const choice = createChoice(deployments, router, { clock, price: (each) => book.price(each) })
  const traffic = {
    ...shared,
    ...choice,
    health: checks,
    directory,
    resolve: resolveModel,
    budgets: createRetryBudgets(RETRY_SHARE, clock),
    detour: (kind: 'retry' | 'fallback') => (kind === 'retry' ? metrics.retried() : metrics.fellBack()),
    ...(router.checksContextWindow && {
      maxInputTokens: (deployment: Deployment) => book.maxInputTokens(deployment),
    }),
    settings: { ...config.litellm, ...router },
  }
  const gateway = createGateway({
    ...shared,
    board,
    directory,
    checks,
    ...createRoads(traffic, config.general.masterKey),
    metrics,
    metricsNeedKey: config.litellm.metricsNeedKey,
    settings: { ...moderationDefault(deployments), ...config.general },
    redact,
    version,
    newCallId: randomUUID,
  })
  const needsBook = router.checksContextWindow || router.strategy === 'cost-based-routing'
  const prepare = (): Promise<void> => (needsBook ? book.load() : Promise.resolve())
  return { board, checks, gateway, transports, metrics, lag, prepare }
}

type Traffic = RelayDeps & ObjectDeps & RealtimeDeps & Omit<RealtimeKeyDeps, 'sessionKeys'>

/** The ways in which clients reach deployments. */
function createRoads(
  traffic: Traffic,
  masterKey: Secret | undefined,
): Pick<GatewayDeps, 'relay' | 'realtime' | 'realtimeKeys' | 'sessionKeys' | 'objects' | 'fallbacksOf'> {
  // Without a master key nobody is kept out, and the keys are this process's own.
  const sealing = masterKey ?? new Secret(randomBytes(32).toString('hex'))
  const sessionKeys = createSessionKeys(createSeal(sealing, 'realtime session', randomBytes), traffic.clock)
  return {
    relay: createRelay(traffic),
    realtime: createRealtimeRelay(traffic),
    realtimeKeys: createRealtimeKeys({ ...traffic, sessionKeys }),
    sessionKeys,
    objects: createObjects(traffic),
    fallbacksOf: (names) => fallbackModels(names, traffic.settings.fallbacks),
  }
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

function healthSettings({ general, probing, router: { cooldowns } }: Config): HealthSettings {
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
    isProbeHeeded: general.healthCheckRouting,
    isTrafficHeeded: cooldowns.isEnabled,
    allowedFailsByKind: cooldowns.allowedFailsByKind,
    ...(cooldowns.allowedFails === undefined ? {} : { allowedFails: cooldowns.allowedFails }),
    ...(cooldowns.cooldownMs === undefined ? {} : { cooldownMs: cooldowns.cooldownMs }),
    ...(general.healthCheckStalenessMs === undefined ? {} : { forgetMs: general.healthCheckStalenessMs }),
  }
}
