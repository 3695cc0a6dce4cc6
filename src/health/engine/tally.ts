import type { FailureKind } from '../../core/failure.ts'
import type { EngineRules } from './rules.ts'
import { NEVER } from './standing.ts'
import type { AllowedCount, Standing } from './standing.ts'

/** Each new gap between two calls counts this much in the usual one. */
const GAP_SHARE = 0.1
/** `allowed_fails` counts by the minute, as LiteLLM does. */
const HALF_MINUTE_MS = 30_000
/** The slow ring holds so many successes. */
const RING_BITS = 20
const RING = 2 ** RING_BITS - 1
/** Entering and leaving DEGRADED(slow): half of the ring, a fifth of it. */
const SLOW_ENTER = RING_BITS / 2
const SLOW_LEAVE = RING_BITS / 5
/** A share of so few failures is chance. */
const LEAST_FAILURES = 3

/** The numbers of a standing that count its traffic. */
export type Counts = Pick<
  Standing,
  'lastTrafficAt' | 'gapMs' | 'halfAt' | 'requests' | 'failures' | 'requestsBefore' | 'failuresBefore'
>

/** One attributable call of traffic has ended: the numbers with it. */
export function counted(standing: Counts, at: number, failed: 0 | 1, { windowMs }: EngineRules): Counts {
  const { lastTrafficAt, gapMs, halfAt, requests, failures } = standing
  const lastAt = Math.max(lastTrafficAt, at)
  const gap = Math.max(at - lastTrafficAt, 0)
  const isFirst = gap === Number.POSITIVE_INFINITY || gapMs === Number.POSITIVE_INFINITY
  const usual = isFirst ? gap : gapMs + (gap - gapMs) * GAP_SHARE
  const halfMs = windowMs / 2
  const age = at - halfAt
  if (age < halfMs)
    return {
      lastTrafficAt: lastAt,
      gapMs: usual,
      halfAt,
      requests: requests + 1,
      failures: failures + failed,
      requestsBefore: standing.requestsBefore,
      failuresBefore: standing.failuresBefore,
    }
  const isNext = age < 2 * halfMs
  return {
    lastTrafficAt: lastAt,
    gapMs: usual,
    halfAt: isNext ? halfAt + halfMs : at,
    requests: 1,
    failures: failed,
    requestsBefore: isNext ? requests : 0,
    failuresBefore: isNext ? failures : 0,
  }
}

/** How long a success usually takes, with one more. */
export function tookMs({ tookMs: usual }: Standing, ms: number): number {
  return usual === 0 ? ms : usual + (ms - usual) * GAP_SHARE
}

/** Requests and failures of the window that ends now: never more than really were in it. */
export function recent(
  standing: Standing,
  now: number,
  { windowMs }: EngineRules,
): { readonly requests: number; readonly failures: number } {
  const { halfAt, requests, failures, requestsBefore, failuresBefore } = standing
  const age = now - halfAt
  if (age < windowMs / 2) return { requests: requests + requestsBefore, failures: failures + failuresBefore }
  return age < windowMs ? { requests, failures } : { requests: 0, failures: 0 }
}

/** Calls a second, by the usual gap and by the silence since the last one; 0 where there were none. */
export function rateOf({ gapMs, lastTrafficAt }: Standing, now: number): number {
  const gap = Math.max(gapMs, (now - lastTrafficAt) / 2)
  return gap > 0 ? 1000 / gap : 1000
}

/** The slow ring with one more success. */
export function withSample(slowBits: number, isSlow: boolean): number {
  return ((slowBits << 1) | (isSlow ? 1 : 0)) & RING
}

/** Which share of the last successes was slow, in [0, 1]. */
export function slowShare({ slowBits }: Pick<Standing, 'slowBits'>): number {
  return slowCount(slowBits) / RING_BITS
}

function slowCount(slowBits: number): number {
  let count = 0
  for (let left = slowBits; left !== 0; left &= left - 1) count += 1
  return count
}

/**
 * What it does worse than it should, and since when it has been calm, judged by the numbers. `kind` is the failure just
 * seen, where there is one.
 */
export function soft(
  standing: Standing,
  now: number,
  rules: EngineRules,
  kind?: FailureKind,
): Pick<Standing, 'degraded' | 'calmSince'> {
  const { degraded, slowBits, calmSince } = standing
  const slow = slowCount(slowBits)
  if (degraded === 'wrong_model' || degraded === 'quality') return { degraded, calmSince }
  if (degraded === 'slow') return { degraded: slow <= SLOW_LEAVE ? 'no' : 'slow', calmSince }
  const { requests, failures } = recent(standing, now, rules)
  if (degraded !== 'no') {
    if (failures > rules.degradedLeave * requests) return { degraded, calmSince: NEVER }
    const since = calmSince === NEVER ? now : calmSince
    return { degraded: now - since >= rules.calmMs ? 'no' : degraded, calmSince: since }
  }
  if (slow >= SLOW_ENTER) return { degraded: 'slow', calmSince }
  const isFailing =
    kind !== undefined &&
    requests >= rules.leastRequests &&
    failures >= LEAST_FAILURES &&
    failures >= rules.degradedEnter * requests
  return isFailing ? { degraded: kind, calmSince: NEVER } : { degraded, calmSince }
}

/** The number that the config allows of this kind of failure in a minute; undefined: none is written. */
export function allowedOf(kind: FailureKind, rules: EngineRules): number | undefined {
  return rules.allowedFailsByKind[kind] ?? rules.allowedFails
}

/** One more failure of a kind that the config counts. */
export function withAllowed(standing: Standing, kind: FailureKind, at: number): Partial<Standing> {
  const past = standing.allowed?.[kind]
  return { allowed: { ...standing.allowed, [kind]: oneMore(past, at) } }
}

function oneMore(past: AllowedCount | undefined, at: number): AllowedCount {
  if (past === undefined || at - past.at >= 2 * HALF_MINUTE_MS) return { at, now: 1, before: 0 }
  if (at - past.at < HALF_MINUTE_MS) return { ...past, now: past.now + 1 }
  return { at: past.at + HALF_MINUTE_MS, now: 1, before: past.now }
}

/** Has it failed more often in the last minute than the config allows? */
export function isOverAllowed(standing: Standing, kind: FailureKind, rules: EngineRules): boolean {
  const allowed = allowedOf(kind, rules)
  const count = standing.allowed?.[kind]
  return allowed !== undefined && count !== undefined && count.now + count.before > allowed
}
