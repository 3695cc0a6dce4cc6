import { DEFAULT_INTERVAL_MS } from './settings.ts'
import type { HealthSettings } from './settings.ts'

/** The first cycle is over after this at the latest, however many deployments there are. */
const LONGEST_SPREAD_MS = 5_000
/** Room for each deployment in the first cycle: few start at once, thousands do not start together. */
const SPREAD_EACH_MS = 5
/** An unwritten interval backs off to this while nothing changes. */
const LONGEST_IDLE_MS = 3_600_000
/** Checks come up to this share early, never late: evidence must not grow older than the interval. */
const JITTER = 0.1

/** What the scheduler must know of one deployment's past; times are `Clock.elapsed`'s. */
export interface Past {
  /** When its latest check began. */
  readonly startedAt: number
  /** When that check ended. */
  readonly endedAt: number
  /** How many of its latest verdicts in a row were healthy. */
  readonly healthyRun: number
  /** No request before this (Retry-After). */
  readonly waitUntil?: number
}

type Timing = Pick<HealthSettings, 'intervalMs'>

/** How long after the start its first check is due: a fixed point of a short window, by its id. */
export function firstDelayMs(id: string, deployments: number, timing: Timing): number {
  const interval = timing.intervalMs ?? DEFAULT_INTERVAL_MS
  return Math.floor(hash(id) * Math.min(LONGEST_SPREAD_MS, interval / 2, deployments * SPREAD_EACH_MS))
}

/**
 * When the next check is due, by the same clock. `roll` is a random number in [0, 1).
 * Counted from the start of the latest check, but never before its end.
 */
export function nextDue(past: Past, timing: Timing, roll: number): number {
  // Whole milliseconds, as clocks tell them: a timer must never fire a fraction before its time.
  const waitMs = Math.ceil(wantedMs(past.healthyRun, timing) * (1 - JITTER * roll))
  return Math.max(past.startedAt + waitMs, past.endedAt, past.waitUntil ?? 0)
}

/** A written interval is a promise. Without one: five minutes, doubling while healthy and unchanged. */
function wantedMs(healthyRun: number, timing: Timing): number {
  if (timing.intervalMs !== undefined) return timing.intervalMs
  const doublings = Math.max(healthyRun - 1, 0)
  return Math.min(DEFAULT_INTERVAL_MS * 2 ** Math.min(doublings, 8), LONGEST_IDLE_MS)
}

/** FNV-1a of a text, as a fraction of 1. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  return (value >>> 0) / 2 ** 32
}
