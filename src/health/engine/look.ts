import type { Clock } from '../../core/clock.ts'
import { DEPTH } from '../../core/depth.ts'
import type { Depth } from '../../core/depth.ts'
import type { Evidence } from '../../core/evidence.ts'
import type { Plan } from './next-probe.ts'
import type { Plans } from './plans.ts'
import type { Purse } from './purse.ts'
import type { Scheduler } from './scheduler.ts'
import type { Standings } from './standings.ts'

/** What a look came to. */
export interface Looked {
  /** Undefined where it says nothing: it was cancelled, or our own loop lagged. */
  readonly evidence: Evidence | undefined
  /** An answer was bought. */
  readonly isPaid: boolean
}

/** Looks that several gateways share: asked before each, told of it after. All of it from memory, but the answer. */
export interface LookClaims {
  /** Nobody looks there before this; negative infinity where nothing is known. */
  heldUntil(index: number, purpose: Plan['purpose']): number
  /** Somebody has heard that it is worse than it seems: it is looked at as soon as may be. */
  isWanted(index: number): boolean
  /** May this gateway look now? Answered once; `false`: another one does, or has. */
  claim(index: number, plan: Plan, answer: (isOurs: boolean) => void): void
  /** The look has ended and its evidence is in; this gateway would look again at `nextAt`. */
  ended(index: number, nextAt: number): void
}

/** What a look runs on. */
interface LookDeps {
  readonly members: readonly {
    readonly price: number
    readonly goldenPrice?: number | undefined
    readonly credential: number
  }[]
  readonly purse: Pick<Purse, 'spend' | 'refund'>
  readonly clock: Pick<Clock, 'elapsed'>
  readonly probe: (index: number, rung: Depth, report: (looked: Looked) => void) => void
  readonly claims?: LookClaims
  readonly plans: Pick<Plans, 'begun'>
  readonly standings: Pick<Standings, 'apply'>
  readonly scheduler: Pick<Scheduler, 'done' | 'nextAt'>
}

/** Where others look too, a look waits for its turn among them, or comes at once where they need to know. */
export function sharedPlan(
  claims: LookClaims | undefined,
  index: number,
  now: number,
  plan: Plan | undefined,
): Plan | undefined {
  if (claims === undefined || plan === undefined) return plan
  if (plan.rung === 'trial' || plan.rung <= DEPTH.reach) return plan
  const at = claims.isWanted(index) ? now : plan.at
  return { ...plan, at: Math.max(at, claims.heldUntil(index, plan.purpose)) }
}

/** Makes the look that is due: at once, or when no other gateway makes it. */
export function startLook(deps: LookDeps, index: number, plan: Plan, now: number): void {
  const { rung } = plan
  const { standings, scheduler, claims, clock } = deps
  if (rung === 'trial') {
    standings.apply(index, { kind: 'trial' }, now)
    scheduler.done(index)
    return
  }
  deps.plans.begun(index)
  // Whether our own network reaches it nobody else can tell us.
  if (claims === undefined || rung <= DEPTH.reach) {
    lookAt(deps, index, rung, now)
    return
  }
  claims.claim(index, plan, (isOurs) => {
    if (isOurs) lookAt(deps, index, rung, clock.elapsed())
    else scheduler.done(index)
  })
}

/** A look costs its price from the moment it begins, so that many at once cannot overdraw the purse. */
function lookAt(deps: LookDeps, index: number, rung: Depth, now: number): void {
  const { purse, clock, claims, standings, scheduler } = deps
  const { price = 0, goldenPrice = price, credential = 0 } = deps.members[index] ?? {}
  const cost = rung >= DEPTH.right ? goldenPrice : rung >= DEPTH.answer ? price : 0
  purse.spend(cost, credential, now)
  let isReported = false
  deps.probe(index, rung, ({ evidence, isPaid }) => {
    if (isReported) return
    isReported = true
    if (!isPaid) purse.refund(cost, credential)
    // What was to be free led on to an answer.
    else if (cost === 0)
      purse.spend(price === Number.POSITIVE_INFINITY ? 0 : price, credential, clock.elapsed())
    if (evidence !== undefined) standings.apply(index, evidence, clock.elapsed())
    scheduler.done(index)
    claims?.ended(index, scheduler.nextAt(index))
  })
}
