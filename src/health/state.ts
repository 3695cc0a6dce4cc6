import { failureRow } from '../core/failure.ts'
import type { Health, HealthState } from '../core/health.ts'
import type { Verdict } from '../core/verdict.ts'

/** A `Retry-After` beyond this is a mistake or a daily quota; look again after an hour at the latest. */
const LONGEST_WAIT_MS = 3_600_000

/** What may be asked of the state machine besides the verdict. */
export interface StateRules {
  /** 429 and 408 leave the state as it is. */
  readonly ignoreTransientErrors: boolean
}

/**
 * Health × verdict → health. One verdict is enough for any state; `since` moves only when the state does.
 * `now` is milliseconds since 1970.
 */
export function nextHealth(health: Health, verdict: Verdict, now: number, rules: StateRules): Health {
  const state = stateAfter(health, verdict, rules)
  return {
    state,
    since: state === health.state ? health.since : now,
    ...(verdict.kind === 'unhealthy' && state !== 'HEALTHY' ? { reason: verdict.reason } : {}),
    verdict,
    ...waitAfter(verdict, now),
  }
}

function stateAfter(health: Health, verdict: Verdict, rules: StateRules): HealthState {
  if (verdict.kind === 'healthy') return 'HEALTHY'
  const isTransient = verdict.exceptionStatus === 429 || verdict.exceptionStatus === 408
  if (isTransient && rules.ignoreTransientErrors) return health.state
  return failureRow(verdict.reason).state
}

function waitAfter(verdict: Verdict, now: number): { readonly waitUntil?: number } {
  if (verdict.kind === 'healthy' || verdict.retryAfterMs === undefined) return {}
  if (failureRow(verdict.reason).state !== 'SATURATED') return {}
  return { waitUntil: now + Math.min(verdict.retryAfterMs, LONGEST_WAIT_MS) }
}
