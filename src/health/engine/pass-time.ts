import { forgotten, recovering, settled, unsaturated } from './moves.ts'
import type { EngineRules } from './rules.ts'
import type { Standing } from './standing.ts'
import { soft } from './tally.ts'

/** What time alone changes: no wait and no bad verdict lasts for ever. */
export function passTime(standing: Standing, now: number, rules: EngineRules): Standing {
  if (now < wakeAt(standing, rules)) return standing
  switch (standing.state) {
    case 'SATURATED':
      return unsaturated(standing, now)
    case 'ISOLATED':
      return forgotten(standing, now)
    case 'DOWN':
      return recovering(standing, now)
    case 'MISCONFIGURED':
    case 'SUSPECT':
      return forgotten(standing, now)
    case 'DEGRADED': {
      if (isOdd(standing)) return settled({ ...standing, degraded: 'no', slowBits: 0 }, now)
      const next = { ...standing, ...soft(standing, now, rules) }
      return next.degraded === 'no' ? settled(next, now) : next
    }
    case 'UNKNOWN':
    case 'HEALTHY':
    case 'RECOVERING':
      return standing
  }
}

/** When time alone changes something; infinite where it does not. */
export function wakeAt(standing: Standing, rules: EngineRules): number {
  const { state, until, since, lastEvidenceAt, isFollower, isReleased, calmSince } = standing
  switch (state) {
    case 'SATURATED':
    case 'ISOLATED':
      return until
    case 'DOWN':
      if (isFollower) return isReleased ? until : Number.POSITIVE_INFINITY
      return Math.max(since, lastEvidenceAt) + rules.forgetMs
    case 'MISCONFIGURED':
      return isFollower && isReleased ? until : Number.POSITIVE_INFINITY
    case 'SUSPECT':
      return Math.max(since, lastEvidenceAt) + rules.forgetMs
    case 'DEGRADED':
      if (isOdd(standing)) return lastEvidenceAt + rules.forgetMs
      return Math.max(calmSince, standing.lastTrafficAt) + rules.calmMs
    case 'UNKNOWN':
    case 'HEALTHY':
    case 'RECOVERING':
      return Number.POSITIVE_INFINITY
  }
}

/** Degraded by what it answers, not by a share of failures. */
function isOdd({ degraded }: Standing): boolean {
  return degraded === 'slow' || degraded === 'wrong_model' || degraded === 'quality' || degraded === 'no'
}
