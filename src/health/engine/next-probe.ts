import { DEPTH } from '../../core/depth.ts'
import type { Depth } from '../../core/depth.ts'
import { depthOf, depthToAcquit, suspicion } from './blame.ts'
import type { DownWaits, LookRules } from './rules.ts'
import { NEVER } from './standing.ts'
import type { Standing } from './standing.ts'
import { rateOf } from './tally.ts'

/** What a look is for; the purse gives more freely the later it stands here. */
export type Purpose = 'idle' | 'confirm' | 'recover'

/** What a look at one deployment costs, and may cost now. */
export interface Prices {
  /** Dollars for one whole answer; infinite where none is ever bought. */
  readonly price: number
  /** There is a look that costs nothing: a listing, a socket. */
  readonly hasFree: boolean
  /** What is left of the provider's allowance of requests belongs to the clients, or the model is not in memory. */
  readonly isSpared?: boolean
  /** What the purse still gives, by purpose. */
  readonly may: Readonly<Record<Purpose, boolean>>
  /** What a golden look costs, and whether the purse gives it; absent: none is ever made. */
  readonly golden?: { readonly price: number; readonly isGiven: boolean }
  /** Whole looks at a healthy one are never closer than this, milliseconds (dear modes). */
  readonly leastMs?: number
  /** `cooldown_time` of this deployment. */
  readonly firstWaitMs?: number
  /** Its first whole look is bought although further ones are rare. */
  readonly isFirstBought?: boolean
  /** First looks of all deployments are spread over so much time. */
  readonly spreadMs: number
}

/** The next look: when, and how deep. A `trial` is one request of a client, where nobody may look. */
export interface Plan {
  readonly at: number
  readonly rung: Depth | 'trial'
  readonly purpose: Purpose
}

/** Looks below a tenth of a cent are cheap. From a cent on they are dear: a client's own request finds out for nothing. */
const CHEAP = 0.001
const DEAR = 0.01
const JITTER = 0.1
/** Nineteen times out of twenty one of so many calls comes within so many gaps. */
const CALLS = 3
/** So many failures of traffic bring it down. */
const FAILURES = 5
const DOWN_JITTER = 0.25
const AGAIN_JITTER = 0.3
const GOLDEN_MS = 86_400_000
const GOLDEN_DOUBT_MS = 3_600_000
const GOLDEN_AGAIN_MS = 60_000

/**
 * When to look at a deployment next and how deep; undefined where evidence must come first. The only place that knows
 * money. `roll` in [0, 1) is this look's share of the jitter: asked again with the same one, the answer stays.
 */
export function nextProbe(
  standing: Standing,
  now: number,
  prices: Prices,
  roll: number,
  rules: LookRules,
): Plan | undefined {
  if (standing.isFollower || standing.reason === 'misconfigured') return undefined
  switch (standing.state) {
    case 'UNKNOWN':
      return first(standing, prices, roll, rules)
    case 'HEALTHY':
    case 'DEGRADED':
      return sooner(golden(standing, prices, roll, rules), idle(standing, prices, roll, rules))
    case 'SUSPECT':
      return confirming(standing, now, prices, roll, rules)
    case 'DOWN':
      return recovering(standing, now, prices, roll, rules)
    case 'RECOVERING':
      return rising(standing, now, prices, roll, rules)
    case 'MISCONFIGURED':
      return mending(standing, now, prices, roll, rules)
    case 'SATURATED':
    case 'ISOLATED':
      return undefined
  }
}

/** May an answer be bought for this? */
function maySpend({ price, isSpared, may }: Prices, purpose: Purpose, { strategy }: LookRules): boolean {
  if (strategy === 'off' || price === Number.POSITIVE_INFINITY || isSpared === true) return false
  return price === 0 || (strategy !== 'free_only' && may[purpose])
}

function isLooking({ strategy }: LookRules): boolean {
  return strategy !== 'off' && strategy !== 'on_demand'
}

function mayLookFree({ hasFree }: Prices, { strategy }: LookRules): boolean {
  return hasFree && strategy !== 'off'
}

function first(standing: Standing, prices: Prices, roll: number, rules: LookRules): Plan | undefined {
  if (!isLooking(rules)) return undefined
  const { since, lastProbeAt, lastEvidenceAt } = standing
  const isFresh = lastEvidenceAt === NEVER
  const isLooked = lastProbeAt >= since
  const at = isLooked
    ? lastProbeAt + early(rules.intervalMs, roll)
    : since + (isFresh ? roll * prices.spreadMs : rules.confirmFreeMs)
  const isRare = prices.leastMs !== undefined && prices.isFirstBought !== true
  if (maySpend(prices, 'idle', rules) && !isRare) return { at, rung: DEPTH.answer, purpose: 'idle' }
  return mayLookFree(prices, rules) ? { at, rung: DEPTH.front, purpose: 'idle' } : undefined
}

/** While traffic answers, or a look has just done so, nobody looks. Unused ones are looked at ever more seldom. */
function idle(standing: Standing, prices: Prices, roll: number, rules: LookRules): Plan | undefined {
  if (!isLooking(rules)) return undefined
  const { lastProbeAt, lastFrontAt, idleLooks } = standing
  // Whoever has just been left alone is first asked by traffic.
  const lastOkAt = standing.strikes > 0 ? Math.max(standing.lastOkAt, standing.since) : standing.lastOkAt
  const { intervalMs, idleMostMs, strategy } = rules
  const isAlways = strategy === 'always'
  const wanted = isAlways ? intervalMs : Math.min(intervalMs * 2 ** Math.min(idleLooks, 20), idleMostMs)
  const wholeMs = Math.max(wanted, prices.leastMs ?? 0)
  // What traffic is answered with is not compared with what should answer.
  const isDoubted = standing.degraded === 'wrong_model'
  const wholeAt = isDoubted
    ? lastProbeAt + early(Math.max(intervalMs, prices.leastMs ?? 0), roll)
    : (isAlways ? Math.max(lastProbeAt, standing.since) : lastOkAt) + early(wholeMs, roll)
  const freeAt = Math.max(lastOkAt, lastFrontAt, lastProbeAt) + early(intervalMs, roll)
  const isPaid = maySpend(prices, 'idle', rules)
  const isFree = mayLookFree(prices, rules)
  if (isPaid && (!isFree || wholeAt <= freeAt)) return { at: wholeAt, rung: DEPTH.answer, purpose: 'idle' }
  return isFree ? { at: freeAt, rung: DEPTH.front, purpose: 'idle' } : undefined
}

/** Once a day, soon again after a wrong answer, and each hour while it is in doubt. */
function golden(standing: Standing, prices: Prices, roll: number, rules: LookRules): Plan | undefined {
  const { golden: look, isSpared, spreadMs } = prices
  if (look === undefined || isSpared === true || !isLooking(rules) || rules.strategy === 'free_only')
    return undefined
  if (look.price > 0 && !look.isGiven) return undefined
  const { lastGoldenAt, lastProbeAt, since, misses, degraded } = standing
  const isDoubted = degraded === 'quality' || degraded === 'wrong_model'
  const againMs = Math.min(GOLDEN_AGAIN_MS, rules.intervalMs / 2)
  const waitMs = isDoubted ? GOLDEN_DOUBT_MS : misses > 0 ? againMs : GOLDEN_MS
  const dueAt = Math.max(lastGoldenAt + early(waitMs, roll), lastProbeAt + againMs)
  return { at: Math.max(dueAt, since + roll * spreadMs), rung: DEPTH.right, purpose: 'idle' }
}

function sooner(one: Plan | undefined, other: Plan | undefined): Plan | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return one.at <= other.at ? one : other
}

function confirming(
  standing: Standing,
  now: number,
  prices: Prices,
  roll: number,
  rules: LookRules,
): Plan | undefined {
  const { since, lastProbeAt, blames } = standing
  const depth = depthToAcquit(standing)
  const isFree = mayLookFree(prices, rules)
  const isSettledFree = depth <= DEPTH.front && isFree
  const isPaid = prices.price <= rules.priceCeiling && maySpend(prices, 'confirm', rules)
  if (!isSettledFree && !isPaid && !isFree) return undefined
  const rung = isSettledFree ? depth : isPaid ? DEPTH.answer : DEPTH.front
  const again =
    isSettledFree || isPaid ? rules.confirmAgainMs * (1 + AGAIN_JITTER * roll) : rules.confirmMostMs
  if (lastProbeAt >= since) return { at: lastProbeAt + again, rung, purpose: 'confirm' }
  // Two failures in a row are seldom chance. And whoever has waited long for a failure need not wait for the next.
  const isPressing = isSettledFree || suspicion(blames) >= 2
  const quick = isSettledFree ? rules.confirmFreeMs : rules.confirmLeastMs
  const waitMs = isPressing ? quick : someCalls(standing, now, prices.price, rules)
  const startedAt = blames.at(-1)?.startedAt ?? since
  return { at: Math.max(startedAt + around(waitMs, JITTER, roll), since), rung, purpose: 'confirm' }
}

function recovering(
  standing: Standing,
  now: number,
  prices: Prices,
  roll: number,
  rules: LookRules,
): Plan | undefined {
  const { since, lastProbeAt, waits, downSince, reason } = standing
  const depth = depthToAcquit(standing)
  const isStuckFree = reason !== undefined && depthOf(reason) <= DEPTH.front && mayLookFree(prices, rules)
  const cap = capOf(isStuckFree ? 0 : prices.price, now - downSince, rules.down)
  const firstMs = prices.firstWaitMs ?? rules.down.firstMs
  const waitMs = Math.min(firstMs * rules.down.factor ** waits, Math.max(cap, firstMs))
  const at = Math.max(since, lastProbeAt) + around(waitMs, DOWN_JITTER, roll)
  return back(at, depth, prices, prices.price < DEAR, rules)
}

/** A look that may bring it back: a free one where that is deep enough, a bought one, or a client's own request. */
function back(at: number, depth: Depth, prices: Prices, isWorthIt: boolean, rules: LookRules): Plan {
  if (depth <= DEPTH.front && mayLookFree(prices, rules)) return { at, rung: depth, purpose: 'recover' }
  const isBought = isWorthIt && maySpend(prices, 'recover', rules)
  return { at, rung: isBought ? DEPTH.answer : 'trial', purpose: 'recover' }
}

function capOf(price: number, ageMs: number, down: DownWaits): number {
  const dear = price < DEAR ? down.capMidMs : down.capDearMs
  const cap = price === 0 ? down.capFreeMs : price < CHEAP ? down.capMs : dear
  return Math.max(cap, Math.min(ageMs * down.ageShare, down.capOldMs))
}

/** Traffic shows whether it is back; where there is none, we do. */
function rising(
  standing: Standing,
  now: number,
  prices: Prices,
  roll: number,
  rules: LookRules,
): Plan | undefined {
  if (prices.price > rules.priceCeiling || !maySpend(prices, 'recover', rules)) return undefined
  const latest = Math.max(standing.since, standing.lastProbeAt, standing.lastTrafficAt)
  const waitMs = someCalls(standing, now, prices.price, rules)
  return { at: latest + around(waitMs, JITTER, roll), rung: DEPTH.answer, purpose: 'recover' }
}

function mending(
  standing: Standing,
  now: number,
  prices: Prices,
  roll: number,
  rules: LookRules,
): Plan | undefined {
  const { since, lastProbeAt, waits } = standing
  const ownMs = rules.misconfiguredMs * 2 ** Math.min(waits, 20)
  const oldMs = Math.max((now - since) * rules.misconfiguredAgeShare, rules.misconfiguredMs)
  const waitMs = Math.min(ownMs, oldMs, rules.misconfiguredMostMs)
  const at = Math.max(since, lastProbeAt) + around(waitMs, JITTER, roll)
  return back(at, depthToAcquit(standing), prices, true, rules)
}

/**
 * Time for a few more calls of traffic to come and to end, within bounds: they decide for nothing. Where traffic alone
 * would bring it down within the longest wait, or where a look is not cheap, slow calls have their time besides.
 */
function someCalls(standing: Standing, now: number, price: number, rules: LookRules): number {
  const gapMs = 1000 / rateOf(standing, now)
  const { tookMs } = standing
  const isBusy = gapMs * FAILURES <= rules.confirmMostMs
  const mostMs = isBusy || price >= CHEAP ? rules.confirmMostMs + tookMs : rules.confirmMostMs
  return Math.min(Math.max(CALLS * gapMs + tookMs, rules.confirmLeastMs), mostMs)
}

/** Up to a tenth early and never late: evidence must not grow older than the interval. */
function early(waitMs: number, roll: number): number {
  return waitMs * (1 - JITTER * roll)
}

function around(waitMs: number, share: number, roll: number): number {
  return waitMs * (1 - share + 2 * share * roll)
}
