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

/** Is a model in memory, where an engine loads models when they are asked and lets them go again? */
export interface Residence {
  readonly isLoaded: boolean
  /** When the engine lets it go unless it is asked again, milliseconds since 1970; absent: it does not say. */
  readonly until?: number
}

/** A deployment's health: the state, why, since when, and the newest verdict. */
export interface Health {
  readonly state: HealthState
  /** Absent for a healthy deployment. */
  readonly reason?: FailureKind
  /** When `state` was entered, milliseconds since 1970. */
  readonly since: number
  /** What the newest probe found, of whatever depth; absent until the first one ends. */
  readonly verdict?: Verdict
  /** It failed, but something later has disproved it: an answer to a client, or a deep enough look. */
  readonly isDisproved?: true
  /** What the newest failed call said, a probe's or a client's; redacted. Absent for a healthy deployment. */
  readonly error?: string
  /** Until when no request may be sent (Retry-After), milliseconds since 1970. */
  readonly waitUntil?: number
  /** Of an engine that loads models when they are asked: what the newest free look saw. */
  readonly residence?: Residence
}
