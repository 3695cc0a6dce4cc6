import type { Clock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import type { Log } from '../core/log.ts'
import type { Verdict } from '../core/verdict.ts'
import type { Board, HealthListener } from './board.ts'
import { createChecker } from './check.ts'
import { holdingProof, isDear } from './dear.ts'
import { createFlights } from './live.ts'
import { isBackgroundChecked, isEverChecked, isLiveChecked, mayReuse, mustProbe } from './policy.ts'
import type { HealthSettings } from './settings.ts'
import { createSlots, DEFAULT_SLOT_LIMITS } from './slots.ts'
import type { SlotLimits } from './slots.ts'
import type { LineOrProblem } from './subject.ts'
import { createWatch } from './watch.ts'

/** Health checks of one gateway: on request and in the background. */
export interface HealthChecks {
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
  /** Begins the background loop where the settings ask for one; the first cycle is due at once. */
  start(): void
  /** Checks everything that may be checked, once, and resolves when all have a verdict. */
  startOnce(): Promise<void>
  /** Cancels what runs; resolves when nothing is left. */
  stop(): Promise<void>
}

/** What health checks need of the rest. */
export interface HealthChecksDeps {
  readonly deployments: readonly Deployment[]
  /** The line of a deployment, by its index. */
  readonly lines: (index: number) => LineOrProblem
  /** Opens a line for a deployment that is probed under another model. */
  readonly openLine: (derived: Deployment) => LineOrProblem
  readonly board: Board
  readonly clock: Clock
  readonly log: Log
  readonly settings: HealthSettings
  /** In [0, 1). */
  readonly random: () => number
}

/** Wires checker, sharing, loop and board. Deployments that can never be called are judged here, at once. */
export function createHealthChecks(deps: HealthChecksDeps): HealthChecks {
  const { deployments, board, clock, log, settings } = deps
  const checker = createChecker({ ...deps, slots: createSlots(clock, slotLimits(settings)) })
  const record = (deployment: Deployment, verdict: Verdict): Verdict => {
    const isUnprobed = verdict.kind === 'unhealthy' && verdict.reason === 'checks_disabled'
    if (!isUnprobed) board.record(deployment.index, verdict, settings)
    return verdict
  }
  /** Of dear deployments, the newest verdict that was paid for. */
  const proofs = new Map<number, Verdict>()
  const flights = createFlights(async (deployment, signal) => {
    const verdict = record(deployment, await checker.check(deployment, signal))
    if (isDear(deployment, settings)) proofs.set(deployment.index, verdict)
    return verdict
  })
  const neverStops = new AbortController().signal
  const check = (deployment: Deployment, signal: AbortSignal = neverStops) =>
    flights.share(deployment, signal)
  const checkAll = (targets: readonly Deployment[], signal: AbortSignal) =>
    flights.shareAll(targets, signal, (error) => log.error('check_crashed', { message: error.message }))

  // While the proof holds, a free look may speak against it, and the next one takes that back.
  const checkOrLook = async (deployment: Deployment, signal: AbortSignal): Promise<Verdict> => {
    const { index } = deployment
    const proof = holdingProof(proofs.get(index), clock.now(), settings)
    if (proof === undefined) return check(deployment, signal)
    const verdict = (await checker.look(deployment, signal)) ?? proof
    return board.health(index).verdict === verdict ? verdict : record(deployment, verdict)
  }

  const unlisten = board.onChange(logTransitions(log))
  for (const deployment of deployments) {
    if (!isEverChecked(deployment, settings)) board.disable(deployment.index)
    const verdict = checker.judge(deployment)
    if (verdict !== undefined) record(deployment, verdict)
  }
  const watched = deployments.filter((one) => isBackgroundChecked(one, settings))
  const watch = createWatch({ ...deps, check: checkOrLook, deployments: watched })

  return {
    read: (scope, signal) => checkAll(dueLive(scope, deps), signal),
    check,
    start: () => {
      if (settings.backgroundHealthChecks) watch.start()
    },
    startOnce: () =>
      checkAll(
        deployments.filter((one) => isEverChecked(one, settings)),
        neverStops,
      ),
    stop: async () => {
      await Promise.all([watch.stop(), flights.stop()])
      unlisten()
    },
  }
}

/** Those of a GET /health whose remembered verdict will not do. */
function dueLive(
  scope: readonly Deployment[],
  { board, clock, settings }: HealthChecksDeps,
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

/** One line for each transition; a first good verdict is no news. */
function logTransitions(log: Log): HealthListener {
  return (deployment, before, after) => {
    if (before.state === after.state) return
    const fields = {
      model_id: deployment.id,
      model_name: deployment.group,
      from: before.state,
      to: after.state,
      reason: after.reason,
      latency_ms: after.verdict?.latencyMs,
    }
    if (after.state !== 'HEALTHY') log.warn('health_changed', fields)
    else if (before.state === 'UNKNOWN') log.debug('health_changed', fields)
    else log.info('health_changed', fields)
  }
}
