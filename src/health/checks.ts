import type { Clock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import { DEPTH } from '../core/depth.ts'
import type { Log } from '../core/log.ts'
import type { Verdict } from '../core/verdict.ts'
import type { Was } from '../core/was.ts'
import { createBoard } from './board.ts'
import type { Board, WritableBoard } from './board.ts'
import { createChecker } from './check.ts'
import type { Checker, CheckWish } from './check.ts'
import { createConfiguredEngine } from './configured-engine.ts'
import type { Engine } from './engine/engine.ts'
import type { LookClaims } from './engine/look.ts'
import type { Transition } from './engine/standings.ts'
import type { EngineRuleSet } from './engine-rules.ts'
import { succession } from './legacy.ts'
import type { ChecksLegacy } from './legacy.ts'
import { createLessons } from './lessons.ts'
import { createFlights } from './live.ts'
import type { Flights } from './live.ts'
import { createLooks } from './looks.ts'
import type { LooksDeps } from './looks.ts'
import { createMembers } from './members.ts'
import type { Members } from './members.ts'
import { createOperator } from './operator.ts'
import type { Operator } from './operator.ts'
import { isEverChecked, isLiveChecked, mayReuse, mustProbe } from './policy.ts'
import { createRecord } from './record.ts'
import { createSaving } from './saved-health.ts'
import type { Saving } from './saved-health.ts'
import type { HealthSettings } from './settings.ts'
import { createSlots, DEFAULT_SLOT_LIMITS } from './slots.ts'
import type { SlotLimits } from './slots.ts'
import { createStandingViews } from './standing-views.ts'
import type { StandingViews } from './standing-views.ts'
import type { LineOrProblem } from './subject.ts'
import { createIsolationLog, logTransition } from './transition-log.ts'

/** Health checks of one gateway: on request and by the engine's plan. */
export interface HealthChecks extends Saving {
  /** What is known of all deployments. */
  readonly board: Board
  /** Decides who gets traffic, from what traffic and probes tell. */
  readonly engine: Pick<Engine, 'standings' | 'traffic' | 'choices' | 'plan' | 'scheduler'>
  /** The same for people. */
  readonly views: StandingViews
  /** What an operator may do by hand. */
  readonly operator: Operator
  /** What a client's request failed with at a deployment, redacted: the next transition's reason in words. */
  readonly failed: (index: number, error: string) => void
  /**
   * Brings the board up to date for these deployments, by the rules of GET /health: by live checks where the
   * settings ask for them, else not at all.
   * @throws GatewayError cancelled when `signal` aborts; what nobody else waits for is cancelled too
   */
  read(scope: readonly Deployment[], signal: AbortSignal): Promise<void>
  /**
   * One forced check, shared among concurrent callers.
   * @throws GatewayError cancelled when `signal` aborts, or after `stop`
   */
  check(deployment: Deployment, signal?: AbortSignal): Promise<Verdict>
  /** Starts the engine; it looks by itself where the settings ask for background checks. */
  start(): void
  /** Checks everything that may be checked, once, and resolves when all have a verdict. */
  startOnce(): Promise<void>
  /** Takes over what the checks of the config before know at this moment; to be called once, before `start`. */
  inherit(from: ChecksLegacy, was: Was): void
  /**
   * Looks at nobody any more and logs no more transitions: the checks of the next config do. Requests that still run
   * are answered as before, live checks for readers of GET /health among them.
   */
  retire(): void
  /** Cancels what runs; resolves when nothing is left. */
  stop(): Promise<void>
  /** What the checks of the next config take over. */
  readonly legacy: ChecksLegacy
}

/** What health checks need of the rest. */
export interface HealthChecksDeps {
  readonly deployments: readonly Deployment[]
  /** The line of a deployment, by its index. */
  readonly lines: (index: number) => LineOrProblem
  /** Opens a line for a deployment that is probed under another model. */
  readonly openLine: (derived: Deployment) => LineOrProblem
  /** Dollars for one whole check of a deployment. */
  readonly priceOf: (deployment: Deployment) => number
  /** How far the event loop lagged behind lately (p99), milliseconds. */
  readonly lagMs: () => number
  readonly clock: Clock
  readonly log: Log
  readonly settings: HealthSettings
  /** How the engine judges, when it looks, and what it may spend. */
  readonly engineRules: EngineRuleSet
  /** In [0, 1). */
  readonly random: () => number
  /** When the days of the purse begin, by `Clock.elapsed`; absent: now. */
  readonly purseStart?: number
  /** The deployments as the engine sees them, where somebody has worked it out already. */
  readonly members?: Members
  /** Who was there under the config before; absent: nobody. */
  readonly was?: Was
  /** Other gateways look at the same deployments; absent: none does. */
  readonly replica?: ReplicaSeam
}

/** What health checks ask of the others, and tell them. */
export interface ReplicaSeam {
  readonly claims: LookClaims
  moved(index: number, transition: Transition): void
  /** When a look that runs must be over. */
  readonly endsAt: (index: number) => number
}

/** What nobody has renewed for so many intervals is stale. */
const STALE_INTERVALS = 2

/** Wires checker, sharing, engine and board. Deployments that can never be called are judged here, at once. */
export function createHealthChecks(deps: HealthChecksDeps): HealthChecks {
  const { deployments, clock, log } = deps
  const lessons = createLessons()
  const checker = createChecker({ ...deps, lessons, slots: createSlots(clock, slotLimits(deps.settings)) })
  const known = deps.members ?? createMembers(deps)
  const wishes = new Map<number, CheckWish>()
  const neverStops = new AbortController().signal
  const voice = { isRetired: false }
  const engine: Engine = createConfiguredEngine(deps, known, {
    probe: (index, rung, report) => looks.probe(index, rung, report),
    onTransition: (index, transition) => moved(deps, board, voice, index, transition),
  })
  const board = createBoard(deployments, { clock, standings: engine.standings })
  const record = createRecord(
    deps,
    engine,
    board,
    createIsolationLog(log, () => board.isIsolated()),
  )
  const flights = createFlights(checking(checker, wishes, record))
  const looks = createLooks({
    ...deps,
    members: known.members,
    engine: () => engine,
    checker,
    board,
    record,
    lessons,
    priceCeiling: deps.engineRules.look.priceCeiling,
    ...(deps.replica && { endsAt: deps.replica.endsAt }),
    check: wished(flights, wishes),
  })
  const check = (deployment: Deployment, signal = neverStops) => flights.share(deployment, signal)
  const checkAll = (targets: readonly Deployment[], signal: AbortSignal) =>
    flights.shareAll(targets, signal, (error) => log.error('check_crashed', { message: error.message }))
  judgeAll(deps, checker, board, record)
  return {
    board,
    engine,
    ...createSaving(engine.standings, board, clock),
    views: viewsOf(deps, engine, board, known),
    operator: createOperator({ engine, board, clock, check }),
    failed: (index, error) => board.failed(index, error),
    read: (scope, signal) => checkAll(dueLive(scope, board, deps), signal),
    check,
    start: () => engine.start(),
    startOnce: () => checkAll(checkedEver(deps), neverStops),
    ...succession({ engine: engine.legacy, board, lessons }, clock),
    retire: () => {
      voice.isRetired = true
      engine.stop()
      void looks.stop()
    },
    stop: async () => {
      engine.stop()
      await Promise.all([looks.stop(), flights.stop()])
    },
  }
}

function checkedEver({ deployments, settings }: HealthChecksDeps): readonly Deployment[] {
  return deployments.filter((one) => isEverChecked(one, settings))
}

function moved(
  deps: HealthChecksDeps,
  board: WritableBoard,
  { isRetired }: { readonly isRetired: boolean },
  index: number,
  transition: Transition,
): void {
  board.moved(index, transition)
  // The checks of the next config have taken over, and say it themselves.
  if (isRetired) return
  deps.replica?.moved(index, transition)
  const deployment = deps.deployments[index]
  if (deployment !== undefined) logTransition(deps, deployment, transition, board.latestError(index))
}

/** Whoever can never be called, or is never checked, need not wait for a check. */
function judgeAll(
  { deployments, settings, was }: HealthChecksDeps,
  checker: Pick<Checker, 'judge'>,
  board: WritableBoard,
  record: LooksDeps['record'],
): void {
  for (const deployment of deployments) {
    if (!isEverChecked(deployment, settings)) board.disable(deployment.index)
    // Of those that were there before it is known, and was said.
    const isNew = was?.(deployment.index) === undefined
    const verdict = isNew ? checker.judge(deployment) : undefined
    if (verdict !== undefined) record(deployment, verdict, DEPTH.answer)
  }
}

function viewsOf(
  { clock, engineRules }: HealthChecksDeps,
  engine: Engine,
  board: Board,
  { members }: Members,
): StandingViews {
  return createStandingViews({
    engine,
    clock,
    health: (index) => board.health(index),
    price: (index, rung) => {
      const { price = Infinity, goldenPrice = price } = members[index] ?? {}
      return rung === DEPTH.right ? goldenPrice : price
    },
    staleMs: STALE_INTERVALS * engineRules.look.intervalMs,
  })
}

/** Checks as it was wished for, and records what it finds. */
function checking(
  checker: Pick<Checker, 'check'>,
  wishes: ReadonlyMap<number, CheckWish>,
  record: LooksDeps['record'],
): (deployment: Deployment, signal: AbortSignal) => Promise<Verdict> {
  return async (deployment, signal) => {
    const wish = wishes.get(deployment.index)
    const verdict = await checker.check(deployment, signal, wish)
    record(deployment, verdict, wish?.isGolden === true ? DEPTH.right : DEPTH.answer)
    return verdict
  }
}

/** A shared check of a kind of its own, where it is the one that begins it. */
function wished(flights: Flights, wishes: Map<number, CheckWish>): LooksDeps['check'] {
  return (deployment, signal, wish) => {
    wishes.set(deployment.index, wish)
    const flight = flights.share(deployment, signal)
    wishes.delete(deployment.index)
    return flight
  }
}

/** Those of a GET /health whose remembered verdict will not do. */
function dueLive(
  scope: readonly Deployment[],
  board: Board,
  { clock, settings }: HealthChecksDeps,
): readonly Deployment[] {
  const now = clock.now()
  return scope.filter((one) => {
    const health = board.health(one.index)
    return isLiveChecked(one, settings) && mustProbe(health, now, settings) && !mayReuse(health, now)
  })
}

function slotLimits(settings: HealthSettings): SlotLimits {
  const { concurrency = 0 } = settings
  return concurrency > 0 ? { ...DEFAULT_SLOT_LIMITS, inFlight: concurrency } : DEFAULT_SLOT_LIMITS
}
