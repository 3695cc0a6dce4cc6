import type { FaultDomain } from '../../core/depth.ts'
import type { FailureKind } from '../../core/failure.ts'
import type { HealthState } from '../../core/health.ts'
import { suspicion } from './blame.ts'
import type { EngineRules } from './rules.ts'
import { NEVER } from './standing.ts'
import type { Standing } from './standing.ts'

/** More failed looks than this make no wait longer. */
export const MOST_WAITS = 64
/** A deployment with so many calls in flight is trusted with any number. */
const TRUSTED_PERMITS = 64

/** The same deployment in another state; `since` moves only when the state does. */
export function moved(
  standing: Standing,
  state: HealthState,
  now: number,
  changes: Partial<Standing> = {},
): Standing {
  return { ...standing, ...changes, state, since: state === standing.state ? standing.since : now }
}

/** Nothing is held against it any more: healthy, degraded, or unknown where it never answered. */
export function settled(standing: Standing, now: number): Standing {
  const { reason: _, ...rest } = standing
  const clean = { ...rest, blames: [], domain: 'deployment', isFollower: false, isReleased: false } as const
  if (standing.lastOkAt === NEVER) return moved(clean, 'UNKNOWN', now, { reason: 'not_checked_yet' })
  const { degraded } = standing
  return degraded === 'no'
    ? moved(clean, 'HEALTHY', now)
    : moved(clean, 'DEGRADED', now, { reason: degraded })
}

/** What was known of it no longer counts. */
export function forgotten(standing: Standing, now: number): Standing {
  return moved(standing, 'UNKNOWN', now, {
    reason: 'not_checked_yet',
    blames: [],
    domain: 'deployment',
    isFollower: false,
    isReleased: false,
    until: NEVER,
    waits: 0,
    sightings: 0,
  })
}

/** It may be sick: others are preferred until somebody has looked. */
export function doubted(standing: Standing, reason: FailureKind, now: number): Standing {
  return moved(standing, 'SUSPECT', now, { reason })
}

/** It is down. While our own network is in doubt, it is only doubted. */
export function fallen(
  standing: Standing,
  reason: FailureKind,
  domain: FaultDomain,
  now: number,
  rules: EngineRules,
): Standing {
  if (rules.isFrozen) return doubted(standing, reason, now)
  const isAgain = standing.state === 'RECOVERING'
  const hasRisen = !isAgain || standing.lastOkAt > standing.downSince
  return moved(standing, 'DOWN', now, {
    reason,
    domain,
    waits: isAgain ? Math.min(standing.waits + 1, MOST_WAITS) : 0,
    downSince: isAgain ? standing.downSince : now,
    penalty: penaltyAt(standing, now, rules) + (hasRisen ? 1 : 0),
    penaltyAt: now,
    halfAt: NEVER,
    isFollower: false,
    isReleased: false,
  })
}

/** It answers again, or somebody must find out: one call at first, then more. */
export function recovering(standing: Standing, now: number): Standing {
  return moved(standing, 'RECOVERING', now, {
    blames: [],
    rises: 0,
    permits: 1,
    slowStartAt: now,
    domain: 'deployment',
    isFollower: false,
    isReleased: false,
    until: NEVER,
    overloadedSince: NEVER,
  })
}

/** Waiting will not help: somebody must mend it. */
export function misconfigured(
  standing: Standing,
  reason: FailureKind,
  domain: FaultDomain,
  now: number,
): Standing {
  return moved(standing, 'MISCONFIGURED', now, {
    reason,
    domain,
    waits: 0,
    isFollower: false,
    isReleased: false,
    blames: [],
  })
}

/** It asks us to wait, and is left alone. */
export function saturated(
  standing: Standing,
  reason: FailureKind,
  domain: FaultDomain,
  retryAfterMs: number | undefined,
  now: number,
  rules: EngineRules,
): Standing {
  const { strikes, previous, state } = standing
  const own = Math.min(rules.saturatedMs * 2 ** Math.min(strikes, 10), rules.saturatedMostMs)
  const waitMs =
    retryAfterMs === undefined ? own : Math.min(Math.max(retryAfterMs, 0), rules.retryAfterMostMs)
  const until = now + waitMs
  return moved(standing, 'SATURATED', now, {
    reason,
    domain,
    previous: state === 'SATURATED' ? previous : state,
    until: state === 'SATURATED' ? Math.max(standing.until, until) : until,
    strikes: strikes + 1,
  })
}

/** Its wait is over: back to where it was, one call at first. */
export function unsaturated(standing: Standing, now: number): Standing {
  const permits = Math.min(standing.permits, 1)
  const changes = { until: NEVER, permits, domain: 'deployment' } as const
  if (standing.previous === 'RECOVERING') return moved(standing, 'RECOVERING', now, changes)
  const blamed = standing.blames.at(-1)
  if (blamed !== undefined && suspicion(standing.blames) >= 1)
    return moved(standing, 'SUSPECT', now, { ...changes, reason: blamed.kind })
  const { blames } = standing
  return { ...settled(standing, now), ...changes, blames }
}

/** How many calls it may have in flight after one more success. */
export function morePermits(permits: number): number {
  return permits * 2 > TRUSTED_PERMITS ? Number.POSITIVE_INFINITY : permits * 2
}

/** Its falls, each counting half after a while. */
export function penaltyAt(
  { penalty, penaltyAt: at }: Pick<Standing, 'penalty' | 'penaltyAt'>,
  now: number,
  { penaltyHalfLifeMs }: EngineRules,
): number {
  return penalty === 0 ? 0 : penalty * 2 ** (-(now - at) / penaltyHalfLifeMs)
}

/** Has it fallen so often lately that it must prove more before it is trusted? */
export function isFlapping(standing: Standing, now: number, rules: EngineRules): boolean {
  return penaltyAt(standing, now, rules) >= rules.flapping
}
