import type { FailureKind } from './failure.ts'
import type { Verdict } from './verdict.ts'

/** The health states. Routing prefers them in this order, more or less. */
export const HEALTH_STATES = [
  'HEALTHY',
  'UNKNOWN',
  'DEGRADED',
  'RECOVERING',
  'SUSPECT',
  'SATURATED',
  'DOWN',
  'MISCONFIGURED',
  'ISOLATED',
] as const

/** What we hold true of a deployment now. */
export type HealthState = (typeof HEALTH_STATES)[number]

/** A deployment's health: the state, why, since when, and the newest verdict. */
export interface Health {
  readonly state: HealthState
  /** Absent for a healthy deployment. */
  readonly reason?: FailureKind
  /** When `state` was entered, milliseconds since 1970. */
  readonly since: number
  /** Absent until the first check ends. */
  readonly verdict?: Verdict
  /** Until when no request may be sent (Retry-After), milliseconds since 1970. */
  readonly waitUntil?: number
}
