import type { Clock } from '../core/clock.ts'

/** One moment, as durations and as people count it, and from it every other one. */
export interface WallTime {
  /** `Clock.elapsed` now. */
  readonly elapsed: number
  /** A moment of `Clock.elapsed` as ISO 8601 in UTC; undefined where it never was, or never comes. */
  iso(at: number): string | undefined
  /** How long ago a moment was, milliseconds. */
  ago(at: number): number
}

/** What the clock says now; a view is made of one such moment. */
export function wallTime(clock: Pick<Clock, 'elapsed' | 'now'>): WallTime {
  const moment = clock.elapsed()
  const wall = clock.now()
  return {
    elapsed: moment,
    iso: (at) => (Number.isFinite(at) ? new Date(wall + at - moment).toISOString() : undefined),
    ago: (at) => moment - at,
  }
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
] as const

/** A length of time in one unit, rounded down, for sentences: `4 s`, `12 min`, `3 h`, `2 d`. */
export function lengthText(ms: number): string {
  for (const [unit, unitMs] of UNITS) if (ms >= unitMs) return `${Math.floor(ms / unitMs)} ${unit}`
  return `${Math.max(Math.floor(ms / 1000), 0)} s`
}
