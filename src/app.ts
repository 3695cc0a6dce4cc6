import type { Config } from './config/config.ts'
import type { Cancel } from './core/clock.ts'
import { createConfigBook, type ConfigBook } from './core/config-status.ts'
import type { Deployment } from './core/deployment.ts'
import { asGatewayError } from './core/failure.ts'
import type { Log, LogFields } from './core/log.ts'
import type { Verdict } from './core/verdict.ts'
import { messageOf } from './core/message-of.ts'
import type { Board } from './health/board.ts'
import type { HealthChecks } from './health/checks.ts'
import { watchLag } from './metrics/lag-watch.ts'
import type { HealthPlan } from './health/plan.ts'
import { createGenerations, type Generations } from './parts/generations.ts'
import { createLasting } from './parts/lasting.ts'
import { createParts, openGateway, type PartsDeps } from './parts/parts.ts'

/** What an app needs besides its config. */
export interface AppDeps extends PartsDeps {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** What the config is known by; absent: it is no file. */
  readonly configVersion?: string
  /** Check every deployment once at start, even where background checks are off. */
  readonly checksAtStart?: boolean
  /** Called once the listener is bound, before the first check is sent. */
  readonly onListening?: (url: string) => void
}

/** A whole gateway: listener, health checks and connections. */
export interface App {
  /** Of the config that is served with. */
  readonly board: Board
  /** Which config that is, and what became of later ones. */
  readonly configBook: ConfigBook
  /** As `Generations`. */
  config(): Config
  swap(config: Config, was: Int32Array): Promise<{ readonly lost: number } | undefined>
  /** Requests that are being answered. */
  inFlight(): number
  /** Requests that have come in so far. */
  begun(): number
  /** When a deployment is looked at next, milliseconds since 1970; undefined: nothing is planned. */
  nextCheckAt(index: number): number | undefined
  /**
   * What background checks will cost a day, were they on. No more deployments than `most` are simulated. Nothing need
   * have been started for it, and nothing is sent.
   */
  plan(most: number): Promise<HealthPlan>
  /**
   * Checks one deployment now. Nothing need have been started for it, and nothing is served; `close` ends it. Undefined:
   * `signal` was aborted first.
   */
  checkOnce(deployment: Deployment, signal?: AbortSignal): Promise<Verdict | undefined>
  /** Where a deployment's requests go; undefined where it cannot be called. */
  address(index: number): string | undefined
  /** Dollars for one check of each deployment, by its index. */
  prices(): Promise<readonly number[]>
  /** Ends what `checkOnce` has begun, of an app that was never started. */
  close(): Promise<void>
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
export async function createApp(config: Config, deps: AppDeps): Promise<App> {
  const { log, clock, host, port } = deps
  const configBook = createConfigBook(clock, deps.configVersion)
  const lasting = createLasting(config, deps, configBook)
  // No closure may hold on to these: they are to go when another config has come.
  const first = { config, parts: await createParts(config, deps, lasting) }
  const gateway = openGateway(first.parts)
  const generations = createGenerations(first, gateway, deps, lasting)
  const { metrics, lag, history } = lasting
  let stopLagWatch: Cancel = () => {}
  let cancelPlan: Cancel = () => {}
  let ending: Promise<void> | undefined

  // From the outside in: a request that still runs needs checks and connections until it is over.
  async function close(): Promise<void> {
    await gateway.close()
    stopLagWatch()
    cancelPlan()
    await generations.stop()
  }

  async function drain(): Promise<void> {
    const { drainDelayMs, drainTimeoutMs } = generations.config().general
    log.info('draining', { delay_ms: drainDelayMs, cap_ms: drainTimeoutMs })
    gateway.drain()
    await new Promise<void>((resolve) => void clock.after(drainDelayMs, resolve))
    await close()
    log.info('stopped')
  }

  return {
    get board() {
      return generations.parts().board
    },
    configBook,
    config: () => generations.config(),
    swap: (next, was) => generations.swap(next, was),
    inFlight: () => gateway.inFlight(),
    begun: () => gateway.begun(),
    close,
    ...asked(generations),
    start: async () => {
      // Whoever is known to be down is not asked first of all.
      await Promise.all([generations.parts().prepare(), history.restore()])
      const { url } = await gateway.listen(host, port).catch(async (error: unknown) => {
        await close()
        throw new ListenError(whyNotListening(error, host, port), { cause: error })
      })
      log.info('listening', { url, deployments: generations.config().deployments.length })
      stopLagWatch = watchLag(clock, (lateMs) => {
        metrics.lagged(lateMs)
        lag.saw(lateMs)
      })
      deps.onListening?.(url)
      const { checks, replica } = generations.parts()
      replica?.start()
      checks.start()
      history.start()
      if (generations.config().general.backgroundHealthChecks) cancelPlan = sayPlan(deps, generations)
      if (deps.checksAtStart === true) checkAll(checks, log)
      return { url }
    },
    stop: () => (ending ??= drain()),
  }
}

/** What can be asked of the config that is served with. */
function asked({
  parts,
}: Generations): Pick<App, 'nextCheckAt' | 'plan' | 'prices' | 'address' | 'checkOnce'> {
  return {
    nextCheckAt: (index) => parts().checks.views.freshness(index).nextCheckAt,
    plan: (most) => parts().plan(most),
    prices: () => parts().prices(),
    address: (index) => parts().address(index),
    checkOnce: (deployment, signal) => parts().checks.check(deployment, signal).catch(orCancelled),
  }
}

function checkAll(checks: Pick<HealthChecks, 'startOnce'>, log: Log): void {
  checks.startOnce().catch((error: unknown) => log.error('first_checks_failed', { message: String(error) }))
}

/** Prices take a moment to load: the first requests come first. */
function sayPlan({ log, clock }: Pick<AppDeps, 'log' | 'clock'>, { parts }: Generations): Cancel {
  const say = async (): Promise<void> =>
    log.info('health_plan', planFields(await parts().plan(MOST_SIMULATED)))
  return clock.after(PLAN_AFTER_MS, () => {
    say().catch((error: unknown) => log.error('health_plan_failed', { message: String(error) }))
  })
}

function orCancelled(error: unknown): undefined {
  if (asGatewayError(error).kind !== 'cancelled') throw error
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
  return `cannot listen on ${host}:${port}: ${messageOf(error)}`
}
