import type { Config } from './config/config.ts'
import type { Cancel } from './core/clock.ts'
import type { LogFields } from './core/log.ts'
import type { Board } from './health/board.ts'
import { watchLag } from './metrics/lag-watch.ts'
import type { HealthPlan } from './health/plan.ts'
import { createParts, type PartsDeps } from './parts.ts'

/** What an app needs besides its config. */
export interface AppDeps extends PartsDeps {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Check every deployment once at start, even where background checks are off. */
  readonly checksAtStart?: boolean
  /** Called once the listener is bound, before the first check is sent. */
  readonly onListening?: (url: string) => void
}

/** A whole gateway: listener, health checks and connections. */
export interface App {
  readonly board: Board
  /** When a deployment is looked at next, milliseconds since 1970; undefined: nothing is planned. */
  nextCheckAt(index: number): number | undefined
  /**
   * What background checks will cost a day, were they on. No more deployments than `most` are simulated. Nothing need
   * have been started for it, and nothing is sent.
   */
  plan(most: number): Promise<HealthPlan>
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

/** Builds a gateway; nothing runs before `start`. Several can live in one process. */
export function createApp(config: Config, deps: AppDeps): App {
  const { log, clock, host, port } = deps
  const { board, checks, replica, gateway, transports, metrics, lag, prepare, plan } = createParts(
    config,
    deps,
  )
  let stopLagWatch: Cancel = () => {}
  let cancelPlan: Cancel = () => {}
  let ending: Promise<void> | undefined

  // From the outside in: a request that still runs needs checks and connections until it is over.
  async function close(): Promise<void> {
    await gateway.close()
    stopLagWatch()
    cancelPlan()
    await checks.stop()
    await replica?.stop()
    await transports.close()
  }

  async function drain(): Promise<void> {
    const { drainDelayMs, drainTimeoutMs } = config.general
    log.info('draining', { delay_ms: drainDelayMs, cap_ms: drainTimeoutMs })
    gateway.drain()
    await new Promise<void>((resolve) => void clock.after(drainDelayMs, resolve))
    await close()
    log.info('stopped')
  }

  /** Prices take a moment to load: the first requests come first. */
  function sayPlan(): void {
    const say = async (): Promise<void> => log.info('health_plan', planFields(await plan(MOST_SIMULATED)))
    cancelPlan = clock.after(PLAN_AFTER_MS, () => {
      say().catch((error: unknown) => log.error('health_plan_failed', { message: String(error) }))
    })
  }

  return {
    board,
    nextCheckAt: (index) => checks.views.freshness(index).nextCheckAt,
    plan,
    start: async () => {
      await prepare()
      const { url } = await gateway.listen(host, port).catch(async (error: unknown) => {
        await close()
        throw new ListenError(whyNotListening(error, host, port), { cause: error })
      })
      log.info('listening', { url, deployments: config.deployments.length })
      stopLagWatch = watchLag(clock, (lateMs) => {
        metrics.lagged(lateMs)
        lag.saw(lateMs)
      })
      deps.onListening?.(url)
      replica?.start()
      checks.start()
      if (config.general.backgroundHealthChecks) sayPlan()
      if (deps.checksAtStart === true)
        checks
          .startOnce()
          .catch((error: unknown) => log.error('first_checks_failed', { message: String(error) }))
      return { url }
    },
    stop: () => (ending ??= drain()),
  }
}

/** So long after the start the plan of checks is made: by then the catalogue's prices delay nobody's first answer. */
const PLAN_AFTER_MS = 2000
/** More would hold the event loop up for longer than a request should notice. */
const MOST_SIMULATED = 20

function planFields({ rows, idle, liteLlm, budget }: HealthPlan): LogFields {
  return {
    deployments: rows.length,
    probes_per_day: Math.round(idle.probes),
    usd_per_day: Number(idle.usd.toPrecision(3)),
    free_looks_per_day: Math.round(idle.free),
    litellm_usd_per_day: Number(liteLlm.usd.toPrecision(3)),
    ...(budget.usdPerDay !== Number.POSITIVE_INFINITY && { budget_usd_per_day: budget.usdPerDay }),
    ...(budget.cut.probes > 0 && { probes_cut_by_budget: Math.round(budget.cut.probes) }),
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
