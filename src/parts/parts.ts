import { randomBytes, randomUUID } from 'node:crypto'
import type { Config } from '../config/config.ts'
import type { Clock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import type { Log } from '../core/log.ts'
import { createSeal } from '../core/seal.ts'
import { createRedact, Secret, type Redact } from '../core/secret.ts'
import type { Gateway, GatewayDeps } from '../gateway/gateway.ts'
import { createGateway } from '../gateway/server.ts'
import { createMetrics, type Metrics } from '../metrics/metrics.ts'
import { createRecentLag, type RecentLag } from '../metrics/recent-lag.ts'
import type { Board } from '../health/board.ts'
import { createHealthChecks, type HealthChecks } from '../health/checks.ts'
import { createConnectionTest } from '../health/connection-test.ts'
import { engineRulesOf } from '../health/engine-rules.ts'
import type { History } from '../health/history/history.ts'
import { createMembers, type MemberInputs } from '../health/members.ts'
import { planHealth, type HealthPlan } from '../health/plan.ts'
import { createProbePrices, type ProbePrices } from '../health/probe-price.ts'
import type { LineOrProblem } from '../health/subject.ts'
import { openLine } from '../providers/call.ts'
import { createModelBook, type ModelBook } from '../providers/model-facts.ts'
import { resolveModel } from '../providers/registry.ts'
import { createChoice } from '../routing/choice/choice.ts'
import { createDirectory } from '../routing/choice/directory.ts'
import { createOutOfReach } from '../routing/choice/out-of-reach.ts'
import { fallbackModels } from '../routing/journey/fallbacks.ts'
import { createHedgeGroups } from '../routing/journey/hedge-groups.ts'
import { moderationDefault } from '../routing/request/moderation-default.ts'
import { createObjects, type ObjectDeps } from '../routing/objects/objects.ts'
import { createRealtimeKeys, type RealtimeKeyDeps } from '../routing/realtime/keys.ts'
import { createRealtimeRelay, type RealtimeDeps } from '../routing/realtime/realtime.ts'
import { createRelay, type RelayDeps } from '../routing/relay.ts'
import { createRetryBudgets } from '../routing/journey/retry-budget.ts'
import { createSessionKeys } from '../routing/realtime/session-keys.ts'
import { healthSettings } from './health-settings.ts'
import { createPast } from './past.ts'
import { createTwins } from './twins.ts'
import type { Replica } from '../sharing/replica.ts'
import { createTransports, type Transports } from '../transport/transports.ts'

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
  /** Where the history is kept when there is no database; absent: in memory. */
  readonly historyFile?: string
}

/** A gateway's parts, wired to each other; nothing runs yet. */
export interface Parts {
  readonly board: Board
  readonly checks: HealthChecks
  readonly history: History
  /** This gateway among others that look at the same deployments; undefined: there are none. */
  readonly replica: Replica | undefined
  readonly gateway: Gateway
  readonly transports: Transports
  readonly metrics: Metrics
  /** To be told of the event loop's lag. */
  readonly lag: RecentLag
  /** Loads what the config asks for and most configs do not need. */
  readonly prepare: () => Promise<void>
  /** As `App.address`. */
  readonly address: (index: number) => string | undefined
  /** As `App.prices`. */
  readonly prices: () => Promise<readonly number[]>
  /** As `App.plan`. */
  readonly plan: (most: number) => Promise<HealthPlan>
}

/** Everything that a gateway is made of, each part told of those it uses. */
export function createParts(config: Config, deps: PartsDeps): Parts {
  const { log, clock, random, version, redact = createRedact(config.secrets) } = deps
  const { deployments, router } = config
  const transports = createTransports({
    ...config.network,
    clock,
    env: config.env,
    userAgent: `pulsegate/${version}`,
  })
  const openTo = (deployment: Deployment, isConfigured = true): LineOrProblem =>
    openLine(deployment, {
      transport: transports.of(deployment.connection.sslVerify),
      env: isConfigured ? config.env : {},
      redact,
      dropParams: config.litellm.dropParams,
    })
  const openConfigured = (deployment: Deployment): LineOrProblem => openTo(deployment)
  const lines = createLines(deployments, openConfigured)
  const directory = createDirectory(deployments, resolveModel, router.aliases)
  const settings = healthSettings(config, directory)
  const shared = { deployments, lines, openLine: openConfigured, clock, log, random }
  const lag = createRecentLag()
  const book = createModelBook()
  const prices = createProbePrices({ book, env: config.env, settings })
  const { replica, sharedStatus } = createTwins(config, { ...shared, settings, engine: () => checks.engine })
  const checks: HealthChecks = createHealthChecks({
    ...shared,
    ...(replica && { replica }),
    priceOf: (each) => prices.of(each),
    lagMs: () => lag.p99Ms(),
    settings,
    engineRules: engineRulesOf(config.engine),
  })
  const history = createPast(config, { ...deps, checks, lines })
  const metrics = createMetrics({
    deployments,
    memory: () => process.memoryUsage(),
    droppedLogLines: deps.droppedLogLines ?? (() => 0),
  })
  const traffic = createTraffic(config, { ...shared, directory, health: checks, book, metrics })
  const test = createConnectionTest(deps, settings)
  const face = faceOf(config, { ...deps, redact }, { ...traffic, checks, metrics, history, sharedStatus })
  const gateway = createGateway({
    ...face,
    connectionTest: { resolve: resolveModel, test, openLine: openTo },
  })
  const prepare = createPreparation(config, book, prices)
  const plan = createPlanner(config, { lines, prices, settings })
  const asked = createAnswers(deployments, lines, prices)
  const { board } = checks
  const running = { board, checks, history, replica, gateway, transports, metrics, lag }
  return { ...running, prepare, plan, ...asked }
}

type Lines = MemberInputs['lines']

/** What the HTTP face serves with. */
function faceOf(
  { deployments, general, litellm }: Config,
  { log, clock, random, version, redact }: PartsDeps & { readonly redact: Redact },
  traffic: Traffic &
    Pick<GatewayDeps, 'metrics' | 'history' | 'sharedStatus'> & { readonly checks: HealthChecks },
): Omit<GatewayDeps, 'connectionTest'> {
  const { checks, directory, metrics, history, sharedStatus } = traffic
  return {
    deployments,
    log,
    clock,
    random,
    board: checks.board,
    directory,
    checks,
    history,
    sharedStatus,
    ...createRoads(traffic, general.masterKey),
    metrics,
    metricsNeedKey: litellm.metricsNeedKey,
    settings: { ...moderationDefault(deployments), ...general },
    redact,
    version,
    newCallId: randomUUID,
  }
}

/** What all that clients ask for runs on. */
function createTraffic(config: Config, deps: TrafficInputs): Traffic {
  const { deployments, router } = config
  const { clock, random, lines, health, book, metrics } = deps
  return {
    ...deps,
    ...createChoice(deployments, router, { clock, price: (each) => book.price(each) }),
    outOfReach: createOutOfReach({
      isEnabled: config.engine.traffic.isHeeded,
      reach: reachOver(lines),
      lastOkAt: (index) => health.engine.standings.standing(index, clock.elapsed()).lastOkAt,
      clock,
      random,
    }),
    resolve: resolveModel,
    budgets: createRetryBudgets(RETRY_SHARE, clock),
    detour: (kind: 'retry' | 'fallback' | 'hedge') =>
      kind === 'retry' ? metrics.retried() : kind === 'hedge' ? metrics.hedged() : metrics.fellBack(),
    ...(router.hedges.size > 0 && { hedges: createHedgeGroups(router.hedges) }),
    ...(router.checksContextWindow && {
      maxInputTokens: (deployment: Deployment) => book.maxInputTokens(deployment),
    }),
    settings: { ...config.litellm, ...router, connectTimeoutMs: config.network.connectTimeoutMs },
  }
}

/** The catalogue is large: it is loaded only where something asks for it. */
function createPreparation(
  { router, engine }: Config,
  book: ModelBook,
  prices: ProbePrices,
): Parts['prepare'] {
  const needsBook = router.checksContextWindow || router.strategy === 'cost-based-routing'
  return async () => {
    if (engine.isLooking) await prices.load()
    else if (needsBook) await book.load()
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

/** What is asked of a config without serving it. */
function createAnswers(
  deployments: readonly Deployment[],
  lines: MemberInputs['lines'],
  prices: ProbePrices,
): Pick<Parts, 'prices' | 'address'> {
  return {
    prices: async () => {
      await prices.load()
      return deployments.map((each) => prices.of(each))
    },
    address: (index) => {
      const opened = lines(index)
      return 'line' in opened ? opened.line.target.base : undefined
    },
  }
}

type Traffic = RelayDeps & ObjectDeps & RealtimeDeps & Omit<RealtimeKeyDeps, 'sessionKeys'>

type TrafficInputs = Pick<
  Traffic,
  'deployments' | 'lines' | 'openLine' | 'clock' | 'log' | 'random' | 'directory' | 'health'
> & { readonly book: ModelBook; readonly metrics: Metrics }

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

/** Does a connection to where a deployment's line leads come about? */
function reachOver(lines: Lines): (deployment: Pick<Deployment, 'index'>) => Promise<boolean> {
  return ({ index }) => {
    const opened = lines(index)
    if ('misconfigured' in opened) return Promise.resolve(false)
    return opened.line.transport.reach(opened.line.target.base)
  }
}
