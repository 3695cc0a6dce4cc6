import type { Clock } from '../../core/clock.ts'
import type { Depth } from '../../core/depth.ts'
import type { AdmissionRules, Job } from './admission.ts'
import { createChoices } from './choices.ts'
import type { Choices } from './choices.ts'
import { createFaultDomains } from './fault-domains.ts'
import type { FaultDomains } from './fault-domains.ts'
import type { Legacy } from './inherit.ts'
import type { Plan } from './next-probe.ts'
import { createPlans, mayConfirm } from './plans.ts'
import type { Plans } from './plans.ts'
import type { Purse } from './purse.ts'
import type { EngineRules, LookRules } from './rules.ts'
import { sharedPlan, startLook } from './look.ts'
import type { LookClaims, Looked } from './look.ts'
import { createScheduler } from './scheduler.ts'
import type { Scheduler } from './scheduler.ts'
import type { Standing } from './standing.ts'
import { createStandings } from './standings.ts'
import type { Standings, StandingsListener, Transition } from './standings.ts'
import { createSweep } from './sweep.ts'
import { createTraffic } from './traffic.ts'
import type { Traffic } from './traffic.ts'

/** What the engine must know of one deployment. Equal numbers are the same host, key, or group. */
export interface Member {
  readonly host: number
  readonly credential: number
  readonly group: number
  /** Dollars for one whole answer to a probe; infinite where none is ever bought. */
  readonly price: number
  /** Dollars for one golden look; absent where none is ever made. */
  readonly goldenPrice?: number | undefined
  /** There is a look that costs nothing. */
  readonly hasFree: boolean
  /** Whole looks at a healthy one are never closer than this, milliseconds. */
  readonly leastMs?: number
  /** Its own `cooldown_time`, milliseconds. */
  readonly firstWaitMs?: number
  /** Its engine loads the model when it is asked: an answer is asked for only while it is in memory. */
  readonly isLoadedByAsking?: boolean
  /** Though whole looks at it are rare, its first one is bought: somebody has asked for that. */
  readonly isFirstBought?: boolean
}

/** What the engine runs on. */
export interface EngineDeps {
  readonly members: readonly Member[]
  readonly rules: EngineRules
  readonly look: LookRules
  readonly purse: Purse
  readonly admission: Pick<AdmissionRules, 'total' | 'perHost' | 'perCredential'> & {
    /** New looks that one key may have at once; absent: 20. */
    readonly burst?: number
  }
  /** First looks are spread over so much time, milliseconds; absent: a minute, or more for a large fleet. */
  readonly spreadMs?: number
  /** `health_check_panic`. */
  readonly hasLastResort: boolean
  readonly clock: Pick<Clock, 'elapsed' | 'after'>
  /** In [0, 1). */
  readonly random: () => number
  /** How far the event loop lagged behind lately (p99), milliseconds. */
  readonly lagMs: () => number
  /**
   * Looks at a deployment, up to a rung and through all the free ones below it, and reports once. It may report at
   * once, or later.
   */
  readonly probe: (index: number, rung: Depth, report: (looked: Looked) => void) => void
  /** Absent: nobody else looks at these deployments. */
  readonly claims?: LookClaims
  /** Told of every change of state. */
  readonly onTransition: (index: number, transition: Transition) => void
  /** Told of a request that failed at all of these. */
  readonly onPoison: (request: number, indexes: readonly number[]) => void
}

/** The health engine of one gateway: what is known, what is asked of it, and the loop that finds out the rest. */
export interface Engine {
  readonly standings: Standings
  readonly traffic: Traffic
  readonly choices: Choices
  /** The next look at a deployment as planned now; undefined: none. */
  plan(index: number): Plan | undefined
  /** For so long, milliseconds, the provider's allowance of requests is left to the clients; 0: there is plenty. */
  spare(index: number, ms: number): void
  /** Until when that is so; in the past where it is not. */
  sparedUntil(index: number): number
  /** Its model is not in memory, as far as is known: nobody asks for an answer, lest it be loaded for that. */
  rest(index: number, isResting: boolean): void
  /** What is planned, waits and runs. */
  readonly scheduler: Pick<Scheduler, 'nextAt' | 'numbers' | 'replan'>
  /** What the engine of the next config takes over. */
  readonly legacy: Legacy
  start(): void
  stop(): void
}

const LEAST_SPREAD_MS = 60_000
/** First looks of a large fleet: so many a second at most, as long as the interval allows it. */
const FIRST_LOOKS_PER_SECOND = 5
/** What cannot be confirmed by looking: so many failed requests where it would be too dear, as many as ever where we never look. */
const DEAR_FAILURES = 3
const BURST = 20

/** What the parts of an engine share. */
interface Parts {
  readonly deps: EngineDeps
  readonly plans: Plans
}

/** Makes an engine that knows nothing yet. */
export function createEngine(deps: EngineDeps): Engine {
  const { members, rules, look, clock } = deps
  const [count, groups] = [members.length, members.map(({ group }) => group)]
  const plans = createPlans(deps, deps.spreadMs ?? spreadOf(count, look.intervalMs))
  const parts: Parts = { deps, plans }
  const domains = createFaultDomains(members)
  const standings = createStandings({
    count,
    hosts: members.map(({ host }) => host),
    domains,
    rules,
    canRefer: (index) => look.strategy !== 'off' && members[index]?.hasFree === true,
    confirms: (index) => confirmationOf(parts, index),
    freshMs: Math.max(look.idleMostMs, 2 * look.intervalMs),
    listener: listenerOf(parts, {
      replan: (index) => scheduler.replan(index),
      probation: (index) => traffic.startProbation(index),
    }),
    now: clock.elapsed(),
  })
  const traffic = createTraffic({ standings, groups, elapsed: () => clock.elapsed(), lagMs: deps.lagMs })
  const planOf = (index: number, now: number, roll: number): Plan | undefined =>
    sharedPlan(deps.claims, index, now, plans.next(index, standings.standing(index, now), now, roll))
  const scheduler = createScheduler({
    count,
    clock,
    random: deps.random,
    plan: planOf,
    wakeAt: (index) => standings.wakeAt(index),
    wake: (index, now) => standings.standing(index, now),
    jobOf: (index, { purpose }) => jobOf(members[index], index, purpose, standings, clock.elapsed()),
    launch: (index, plan, now) => startLook(lookDeps, index, plan, now),
    admission: { burst: BURST, ...deps.admission, perSecond: allowances(members, look.intervalMs) },
  })
  const lookDeps = { ...deps, standings, scheduler, plans }
  const choices = createChoices({
    standings,
    traffic,
    groups,
    nextLookAt: (index) =>
      scheduler.nextAt(lookedAtFor(index, standings.standing(index, clock.elapsed()), domains)),
    hasLastResort: deps.hasLastResort,
  })
  const sweeping = createSweep(clock, traffic)
  return {
    standings,
    traffic,
    choices,
    plan: (index) => planOf(index, clock.elapsed(), 0.5),
    spare: (index, ms) => plans.spare(index, ms > 0 ? clock.elapsed() + ms : 0),
    sparedUntil: (index) => plans.sparedUntil(index),
    rest: (index, isResting) => plans.rest(index, isResting),
    scheduler,
    legacy: { standings, domains, members, plans, purse: deps.purse },
    ...together(sweeping, scheduler),
  }
}

interface Loop {
  start(): void
  stop(): void
}

function together(one: Loop, other: Loop): Loop {
  return {
    start: () => {
      one.start()
      other.start()
    },
    stop: () => {
      one.stop()
      other.stop()
    },
  }
}

/** First looks are spread over a minute, or over longer where there are many, but never over more than the interval. */
function spreadOf(count: number, intervalMs: number): number {
  return Math.min(intervalMs, Math.max(LEAST_SPREAD_MS, (count / FIRST_LOOKS_PER_SECOND) * 1000))
}

/** Who is looked at for one that follows another's verdict. */
function lookedAtFor(index: number, { isFollower, domain }: Standing, domains: FaultDomains): number {
  return (isFollower ? domains.representative(domain, index) : undefined) ?? index
}

function listenerOf(
  { deps, plans }: Parts,
  others: Pick<StandingsListener, 'replan' | 'probation'>,
): StandingsListener {
  return {
    ...others,
    transition: deps.onTransition,
    poison: deps.onPoison,
    reference: (index, now) => {
      plans.askForReach(index, now)
      others.replan(index)
    },
    witness: (index, now) => {
      plans.askForAnswer(index, now)
      others.replan(index)
    },
  }
}

/** Whether a suspicion can be confirmed by looking, or how many failed requests must do. */
function confirmationOf({ deps, plans }: Parts, index: number): 'looks' | number {
  const { look, rules, clock } = deps
  if (look.strategy === 'off' || !rules.isProbeHeeded) return rules.failures
  const now = clock.elapsed()
  return !plans.isSpared(index, now) && mayConfirm(deps, index, now) ? 'looks' : DEAR_FAILURES
}

function jobOf(
  member: Member | undefined,
  index: number,
  purpose: Plan['purpose'],
  standings: Standings,
  now: number,
): Job {
  const { host = 0, credential = 0 } = member ?? {}
  const isUnknown = standings.standing(index, now).state === 'UNKNOWN'
  const priority = purpose === 'confirm' ? 0 : purpose === 'recover' ? 1 : isUnknown ? 2 : 3
  return { index, host, credential, priority }
}

/** A key's new looks a second: one, or twice what an idle fleet of its size needs. */
function allowances(members: readonly Member[], intervalMs: number): (credential: number) => number {
  const sizes = new Map<number, number>()
  for (const { credential } of members) sizes.set(credential, (sizes.get(credential) ?? 0) + 1)
  return (credential) => Math.max(1, (2000 * (sizes.get(credential) ?? 0)) / intervalMs)
}
