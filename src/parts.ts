import { randomUUID } from 'node:crypto'
import type { Config } from './config/config.ts'
import type { Clock } from './core/clock.ts'
import type { Deployment } from './core/deployment.ts'
import type { Log } from './core/log.ts'
import { createRedact, type Redact } from './core/secret.ts'
import type { Was } from './core/was.ts'
import type { Lasting } from './lasting.ts'
import type { Gateway, GatewayDeps } from './gateway/gateway.ts'
import { createGateway } from './gateway/server.ts'
import type { Board } from './health/board.ts'
import { createHealthChecks, type HealthChecks } from './health/checks.ts'
import { engineRulesOf } from './health/engine-rules.ts'
import { createMembers, makeMembers, type MemberInputs } from './health/members.ts'
import { planHealth, type HealthPlan } from './health/plan.ts'
import { createProbePrices, type ProbePrices } from './health/probe-price.ts'
import { DEFAULT_HEALTH_SETTINGS, type HealthSettings } from './health/settings.ts'
import type { LineOrProblem } from './health/subject.ts'
import { openLine } from './providers/call.ts'
import { resolveModel } from './providers/registry.ts'
import { createChoice } from './routing/choice/choice.ts'
import { createDirectory } from './routing/choice/directory.ts'
import type { Elders, Ledger } from './routing/choice/ledger.ts'
import { createOutOfReach, type OutOfReach } from './routing/choice/out-of-reach.ts'
import { eldersOf, openAll, type Predecessor } from './predecessor.ts'
import { fallbackModels } from './routing/journey/fallbacks.ts'
import type { Directory } from './routing/choice/directory.ts'
import { moderationDefault } from './routing/request/moderation-default.ts'
import { createObjects, type ObjectDeps } from './routing/objects/objects.ts'
import { createRealtimeKeys, type RealtimeKeyDeps } from './routing/realtime/keys.ts'
import { createRealtimeRelay, type RealtimeDeps } from './routing/realtime/realtime.ts'
import { createRelay, type RelayDeps } from './routing/relay.ts'
import { createRetryBudgets } from './routing/journey/retry-budget.ts'
import type { SessionKeys } from './routing/realtime/session-keys.ts'
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

/** The parts that one config asks for, wired to each other; nothing runs yet. */
export interface Parts {
  readonly board: Board
  readonly checks: HealthChecks
  readonly transports: Transports
  readonly ledger: Ledger
  readonly outOfReach: OutOfReach
  readonly lines: (index: number) => LineOrProblem
  /** Ledgers of configs before; one whose last request is over is to be taken off. */
  readonly elders: Elders
  /** Who was there before and is called in the same way, its key and address from the environment included. */
  readonly was: Was
  /** What the HTTP face serves with. */
  readonly face: GatewayDeps
  /** Loads what the config asks for and most configs do not need. */
  readonly prepare: () => Promise<void>
  /** As `App.plan`. */
  readonly plan: (most: number) => Promise<HealthPlan>
}

/** The listener, for the first config; later ones are shown by its `renew`. */
export function openGateway({ face }: Parts): Gateway {
  return createGateway(face)
}

/** Everything that a gateway is made of, in one go. */
export function createParts(config: Config, deps: PartsDeps, lasting: Lasting): Parts {
  const making = makeParts(config, deps, lasting)
  for (;;) {
    const step = making.next()
    if (step.done === true) return step.value
  }
}

/**
 * Everything that a config asks for, each part told of those it uses. In steps, so that requests can run in between;
 * `before`: what goes on, and is taken over when the parts are swapped.
 */
export function* makeParts(
  config: Config,
  deps: PartsDeps,
  lasting: Lasting,
  before?: Predecessor,
): Generator<undefined, Parts> {
  const { log, clock, random, redact = createRedact(config.secrets) } = deps
  const { deployments, router } = config
  const transports = before?.isSameNetwork === true ? before.parts.transports : openTransports(config, deps)
  const openTo = createOpener(config, transports, redact)
  const lines = createLines(deployments, openTo)
  const was = before === undefined ? () => undefined : yield* openAll(deployments, lines, before)
  const directory = createDirectory(deployments, resolveModel, router.aliases)
  yield
  const settings = healthSettings(config, directory)
  const shared = { deployments, lines, openLine: openTo, clock, log, random }
  const { lag, book } = lasting
  const prices = createProbePrices({ book, env: config.env, settings })
  const priceOf = (each: Deployment): number => prices.of(each)
  const checks = createHealthChecks({
    ...shared,
    members: yield* makeMembers({ ...shared, priceOf, settings }),
    priceOf,
    lagMs: () => lag.p99Ms(),
    settings,
    engineRules: engineRulesOf(config.engine),
    purseStart: lasting.startedAt,
    was,
  })
  yield
  const elders = before === undefined ? [] : eldersOf(before.parts, was)
  const traffic = createTraffic(config, { ...shared, ...lasting, directory, health: checks, elders })
  yield
  const face = faceOf(config, { ...deps, redact }, { ...traffic, checks }, lasting)
  const needsBook = router.checksContextWindow || router.strategy === 'cost-based-routing'
  const prepare = async (): Promise<void> => {
    if (config.engine.isLooking) await prices.load()
    else if (needsBook) await book.load()
  }
  const plan = createPlanner(config, { lines, prices, settings })
  const { ledger, outOfReach } = traffic
  const { board } = checks
  return { board, checks, transports, ledger, outOfReach, lines, elders, was, face, prepare, plan }
}

/** What the HTTP face serves with. */
function faceOf(
  { deployments, general, litellm }: Config,
  { log, clock, random, version, redact }: PartsDeps & { readonly redact: Redact },
  traffic: Traffic & { readonly checks: HealthChecks },
  { metrics, config, sessionKeysFor }: Lasting,
): GatewayDeps {
  const { checks, directory } = traffic
  return {
    deployments,
    log,
    clock,
    random,
    board: checks.board,
    directory,
    checks,
    ...createRoads(traffic, sessionKeysFor(general.masterKey)),
    metrics,
    config,
    metricsNeedKey: litellm.metricsNeedKey,
    settings: { ...moderationDefault(deployments), ...general },
    redact,
    version,
    newCallId: randomUUID,
  }
}

function openTransports({ network, env }: Config, { clock, version }: PartsDeps): Transports {
  return createTransports({ ...network, clock, env, userAgent: `pulsegate/${version}` })
}

/** Opens lines; what they need of the config, and nothing else of it, is kept. */
function createOpener(
  { env, litellm: { dropParams } }: Config,
  transports: Transports,
  redact: Redact,
): (deployment: Deployment) => LineOrProblem {
  return (deployment) => {
    const transport = transports.of(deployment.connection.sslVerify)
    return openLine(deployment, { transport, env, redact, dropParams })
  }
}

/** What all that clients ask for runs on. */
function createTraffic(config: Config, deps: TrafficInputs): Traffic {
  const { deployments, router } = config
  const { clock, random, lines, health, book, metrics, nextRequest, elders } = deps
  return {
    ...deps,
    ...createChoice(deployments, router, { clock, price: (each) => book.price(each), nextRequest, elders }),
    outOfReach: createOutOfReach({
      isEnabled: config.engine.traffic.isHeeded,
      reach: reachOver(lines),
      lastOkAt: (index) => health.engine.standings.standing(index, clock.elapsed()).lastOkAt,
      clock,
      random,
    }),
    resolve: resolveModel,
    budgets: createRetryBudgets(RETRY_SHARE, clock),
    detour: (kind: 'retry' | 'fallback') => (kind === 'retry' ? metrics.retried() : metrics.fellBack()),
    ...(router.checksContextWindow && {
      maxInputTokens: (deployment: Deployment) => book.maxInputTokens(deployment),
    }),
    settings: { ...config.litellm, ...router, connectTimeoutMs: config.network.connectTimeoutMs },
  }
}

/** Plans background checks, as if they were on. */
function createPlanner(
  { deployments, engine }: Config,
  { lines, prices, settings }: Pick<MemberInputs, 'lines' | 'settings'> & { readonly prices: ProbePrices },
): Parts['plan'] {
  const priceOf = (deployment: Deployment): number => prices.of(deployment)
  const { groups } = settings
  return async (most) => {
    await prices.load()
    const watched = { ...settings, backgroundHealthChecks: true }
    const { members } = createMembers({ deployments, lines, priceOf, settings: watched })
    const set = engineRulesOf({ ...engine, isLooking: true })
    return planHealth({ deployments, members, priceOf, set, most, ...(groups && { groups }) })
  }
}

type Traffic = RelayDeps & ObjectDeps & RealtimeDeps & Omit<RealtimeKeyDeps, 'sessionKeys'>

type TrafficInputs = Pick<
  Traffic,
  'deployments' | 'lines' | 'openLine' | 'clock' | 'log' | 'random' | 'directory' | 'health'
> &
  Pick<Lasting, 'book' | 'metrics' | 'nextRequest'> & { readonly elders: Elders }

/** The ways in which clients reach deployments. */
function createRoads(
  traffic: Traffic,
  sessionKeys: SessionKeys,
): Pick<GatewayDeps, 'relay' | 'realtime' | 'realtimeKeys' | 'sessionKeys' | 'objects' | 'fallbacksOf'> {
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

/** Does a connection to where a deployment's line leads come about? */
function reachOver(
  lines: (index: number) => LineOrProblem,
): (deployment: Pick<Deployment, 'index'>) => Promise<boolean> {
  return ({ index }) => {
    const opened = lines(index)
    if ('misconfigured' in opened) return Promise.resolve(false)
    return opened.line.transport.reach(opened.line.target.base)
  }
}

function healthSettings(
  { general, probing }: Config,
  { groupOf }: Pick<Directory, 'groupOf'>,
): HealthSettings {
  const { healthCheckIntervalMs, healthCheckConcurrency, backgroundHealthCheckModelGroups } = general
  const groups = backgroundHealthCheckModelGroups?.map((name) => groupOf(name))
  return {
    ...DEFAULT_HEALTH_SETTINGS,
    backgroundHealthChecks: general.backgroundHealthChecks,
    ...(healthCheckIntervalMs === undefined ? {} : { intervalMs: healthCheckIntervalMs }),
    ...(healthCheckConcurrency === undefined ? {} : { concurrency: healthCheckConcurrency }),
    ...(groups === undefined ? {} : { groups }),
    skipDisabledBackgroundModels: general.skipDisabledBackgroundModels,
    ...(general.healthCheckOnRequest === undefined ? {} : { onRequest: general.healthCheckOnRequest }),
    probeTimeoutMs: probing.timeoutMs,
    prompt: probing.prompt,
    ...(probing.maxTokens === undefined ? {} : { maxTokens: probing.maxTokens }),
    ...(probing.maxTokensReasoning === undefined ? {} : { maxTokensReasoning: probing.maxTokensReasoning }),
    ...(general.healthCheckRung === 'minimal' ? { rung: 'minimal' } : {}),
  }
}
