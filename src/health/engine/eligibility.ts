import type { FailureKind } from '../../core/failure.ts'
import type { HealthState } from '../../core/health.ts'
import { isFlapping } from './moves.ts'
import type { EngineRules } from './rules.ts'
import type { Standing } from './standing.ts'
import { slowShare } from './tally.ts'

/** What routing asks of one deployment. */
export interface Eligibility {
  readonly state: HealthState
  /** Its share of the traffic beside equals, in [0, 1]; 0: nobody is sent there. */
  readonly weight: number
  /** Lower comes first: 0 as usual, 1 last among equals. */
  readonly tier: 0 | 1
  /** When that may change; infinite where only evidence changes it. */
  readonly until: number
  readonly reason: FailureKind | undefined
  /** Its calls get no answers: new traffic is better sent elsewhere. */
  readonly isSilent: boolean
}

const LEAST_SHARE = 0.1
const DEGRADED_SHARE = 0.5

/** How much traffic a deployment gets by its state alone; the group's rules come on top. */
export function weightOf(standing: Standing, now: number, rules: EngineRules): number {
  switch (standing.state) {
    case 'HEALTHY':
    case 'UNKNOWN':
    case 'RECOVERING':
      return slowStart(standing, now, rules)
    case 'SUSPECT':
      return 1
    case 'DEGRADED':
      return Math.max(LEAST_SHARE, DEGRADED_SHARE * (1 - slowShare(standing)))
    case 'SATURATED':
    case 'DOWN':
    case 'MISCONFIGURED':
    case 'ISOLATED':
      return 0
  }
}

/** A server that comes back dies again under its full load. */
function slowStart(standing: Standing, now: number, rules: EngineRules): number {
  const age = now - standing.slowStartAt
  if (age >= rules.slowStartFlappingMs) return 1
  const lengthMs = isFlapping(standing, now, rules) ? rules.slowStartFlappingMs : rules.slowStartMs
  return Math.min(Math.max(LEAST_SHARE, age / lengthMs), 1)
}

/**
 * How far soft reasons count in a group, in [0, 1], so that they shift half of its weight at most: what makes half of
 * a group slow is rarely that half's fault.
 */
export function softFactor(members: readonly Standing[], now: number, rules: EngineRules): number {
  let lost = 0
  for (const standing of members)
    if (standing.state === 'DEGRADED') lost += 1 - weightOf(standing, now, rules)
  const most = members.length / 2
  return lost <= most ? 1 : most / lost
}

/** Lists in LiteLLM's `/health`: is it one of the unhealthy ones by its state? */
export function isUnhealthy(state: HealthState): boolean {
  return state === 'DOWN' || state === 'MISCONFIGURED' || state === 'ISOLATED'
}
