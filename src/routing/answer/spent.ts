import type { Clock } from '../../core/clock.ts'
import type { Durations } from './answer-head.ts'
import type { RelayAnswer } from './relay-answer.ts'

/** Of a request, over all its attempts, two of which may be under way at once; times by `Clock.precise`. */
export interface Spent {
  /** Whoever waits for all of it. */
  readonly client: RelayAnswer
  readonly startedMs: number
  /** While any attempt was under way. */
  upstreamMs: number
  /** Attempts under way, and since when there are any. */
  running: number
  sinceMs: number
}

/** A request begins. */
export function createSpent(client: RelayAnswer, startedMs: number): Spent {
  return { client, startedMs, upstreamMs: 0, running: 0, sinceMs: 0 }
}

/** An attempt begins. */
export function begun(spent: Spent, nowMs: number): void {
  if (spent.running === 0) spent.sinceMs = nowMs
  spent.running += 1
}

/** One is over. */
export function over(spent: Spent, nowMs: number): void {
  spent.running -= 1
  if (spent.running === 0) spent.upstreamMs += nowMs - spent.sinceMs
}

/** Up to a first good byte that came at `arrivedMs`. */
export function durations(
  { startedMs, upstreamMs, sinceMs }: Spent,
  arrivedMs: number,
  clock: Pick<Clock, 'precise'>,
): Durations {
  const wholeMs = clock.precise() - startedMs
  return { wholeMs, ownMs: Math.max(wholeMs - upstreamMs - (arrivedMs - sinceMs), 0) }
}
