import { performance } from 'node:perf_hooks'

/** What the watch asks of the outside. */
export interface LoopDeps {
  /** Milliseconds since some moment. */
  readonly elapsed: () => number
  /** Requests that are being answered. */
  readonly inFlight: () => number
  /** The share of the time since it was last asked in which the event loop had work, 0 to 1. */
  readonly busyShare: () => number
}

/** True where the request that is looked at is one too many. */
export type IsLoopBusy = () => boolean

/** So often the loop is looked at, while requests come. */
const LOOK_MS = 50
/** Longer without a request, and nothing is known of the time between. */
const STALE_MS = 500
/** From here on there is no time left for anything more. */
const FULL_SHARE = 0.97
/** Below it there is some again. */
const FREE_SHARE = 0.9
/** So long the loop must have been full, milliseconds: a pause for garbage or a large body is no overload. */
const PATIENCE_MS = 300
/** A full loop with no more than these in flight is at its best, not overloaded. */
const CROWD = 256
/** So many may be in flight, whatever the loop is like. */
const LEAST = 64
const FALL = 0.7
const RISE = 1.25
/** More than these are no bound that anybody would notice. */
const MOST = 10_000
/**
 * Of those who come so many come in whatever it takes. A refusal costs a fifth to a quarter of an answer: were there
 * fewer answers, all of the time would go into refusals.
 */
const LEAST_SHARE = 0.1

/**
 * Says when more requests are in flight than the event loop has time for. While it is full and a crowd is in flight,
 * fewer and fewer may be: the fewer there are at once, the less each of them costs, and whoever is turned away is told so
 * at once, for a fraction of that. As soon as the loop has time again, more may be. Many slow answers of upstreams are no
 * overload: they wait, and the loop is idle. (An adaptive bound of what is in flight, as AIMD finds it; RFC 5681 §3.1.)
 */
export function createBusyLoop({ elapsed, inFlight, busyShare }: LoopDeps): IsLoopBusy {
  let lookedMs = Number.NEGATIVE_INFINITY
  let fullMs = 0
  /** Infinite but in overload. */
  let bound = Number.POSITIVE_INFINITY
  let came = 0
  let cameIn = 0
  /** Most in flight since the last look: under load requests come, and are answered, in waves. */
  let peak = 0

  const look = (sinceMs: number): void => {
    const share = busyShare()
    const crowd = peak
    came = 0
    cameIn = 0
    peak = 0
    if (sinceMs > STALE_MS) {
      fullMs = 0
      bound = Number.POSITIVE_INFINITY
    } else if (share >= FULL_SHARE) {
      fullMs = bound === Number.POSITIVE_INFINITY && crowd <= CROWD ? 0 : fullMs + sinceMs
      if (fullMs > PATIENCE_MS) bound = Math.max(LEAST, Math.min(bound, crowd) * FALL)
    } else if (share < FREE_SHARE) {
      fullMs = 0
      bound = bound * RISE > MOST ? Number.POSITIVE_INFINITY : bound * RISE
    }
  }

  return () => {
    const nowMs = elapsed()
    if (nowMs - lookedMs >= LOOK_MS) {
      look(nowMs - lookedMs)
      lookedMs = nowMs
    }
    const now = inFlight()
    if (now > peak) peak = now
    if (bound === Number.POSITIVE_INFINITY) return false
    came++
    if (now >= bound && cameIn >= came * LEAST_SHARE) return true
    cameIn++
    return false
  }
}

/** Measures the event loop of this thread. */
export function createBusyShare(): LoopDeps['busyShare'] {
  let last = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    return utilization
  }
}
