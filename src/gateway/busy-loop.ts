import { MessageChannel } from 'node:worker_threads'

/** What the watch asks of the outside. */
export interface LoopDeps {
  /** Milliseconds since some moment. */
  readonly elapsed: () => number
  /** Calls back once all that waits for the event loop now has been worked on. */
  readonly afterRound: (run: () => void) => void
}

/** When the event loop counts as busy, milliseconds. */
export interface BusyLimits {
  /** Longer rounds, one after the other, are overload. */
  readonly mostMs: number
  /**
   * What a round is meant to take in overload: the fewer requests are in flight at once, the less each of them costs.
   */
  readonly aimMs: number
  /** What one may take now and then: a burst that is worked off in this time is welcome. */
  readonly burstMs: number
  /** For how long rounds must be too long, one after the other, and for how long well until all come in again. */
  readonly patienceMs: number
}

/** True where the request that is looked at is one too many. */
export type IsLoopBusy = () => boolean

/** But in overload rounds begin no closer to each other, so that watching costs nothing. */
const MIN_ROUND_MS = 5
/** So many come in during any round: where few are slow it is the machine that is busy, and nobody would gain. */
const LEAST = 64
/**
 * Of those who come so many come in whatever it takes. A refusal costs a fifth to a quarter of an answer: were there
 * fewer answers, all of the time would go into refusals, and rounds would hardly be shorter.
 */
const LEAST_SHARE = 0.12
/** How the number of requests that may come in during a round follows from the length of the last one. */
const STEEPEST_FALL = 0.5
const RISE = 1.1

/**
 * Watches how long what arrives has to wait before the event loop looks at it. A round begins with a request and ends
 * when all that was waiting then is done. It grows with work, never with waiting for others: a gateway of ten thousand
 * slow answers has short rounds. Once rounds have been too long for a while, each admits so many requests that it takes
 * as long as it should; the rest is turned away, which takes a fraction of the time. One long pause, for garbage or for a
 * large body, is no overload (as in CoDel, RFC 8289 §3).
 */
export function createBusyLoop(limits: BusyLimits, { elapsed, afterRound }: LoopDeps): IsLoopBusy {
  const { mostMs, aimMs, burstMs, patienceMs } = limits
  let isRound = false
  let beganMs = Number.NEGATIVE_INFINITY
  let admitted = 0
  let came = 0
  let isCut = false
  /** Infinite but in overload. */
  let mayCome = Number.POSITIVE_INFINITY
  /** The last moment at which things did not look as if this was about to change. */
  let steadyMs = Number.NEGATIVE_INFINITY
  let wasLong = false

  const atLeast = (wanted: number): number => Math.ceil(Math.max(LEAST, came * LEAST_SHARE, wanted))
  const end = (): void => {
    isRound = false
    const nowMs = elapsed()
    const tookMs = nowMs - beganMs
    const isOverload = mayCome !== Number.POSITIVE_INFINITY
    const limitMs = isOverload ? aimMs : mostMs
    const isLong = tookMs > limitMs
    const share = Math.max(STEEPEST_FALL, limitMs / tookMs)
    if (!isOverload) {
      if (!wasLong) steadyMs = beganMs
      if (isLong && (nowMs - steadyMs > patienceMs || tookMs > burstMs)) {
        mayCome = atLeast(admitted * share)
        steadyMs = nowMs
      }
    } else if (isLong || isCut) {
      mayCome = atLeast(isLong ? mayCome * share : mayCome * RISE)
      steadyMs = nowMs
    } else if (nowMs - steadyMs > patienceMs) mayCome = Number.POSITIVE_INFINITY
    wasLong = isLong
  }

  return () => {
    const nowMs = elapsed()
    if (!isRound) {
      if (mayCome === Number.POSITIVE_INFINITY && nowMs - beganMs < MIN_ROUND_MS) return false
      isRound = true
      beganMs = nowMs
      admitted = 0
      came = 0
      isCut = false
      afterRound(end)
    }
    came++
    isCut ||= admitted >= mayCome || (admitted >= LEAST && nowMs - beganMs > burstMs)
    if (!isCut) admitted++
    return isCut
  }
}

/** Rounds of this thread's event loop. */
export interface LoopRounds {
  readonly after: LoopDeps['afterRound']
  close(): void
}

/**
 * A message to ourselves goes to the end of the kernel's queue and comes back when everything before it was handed
 * over. (A turn of the event loop will not do: under load libuv polls up to 48 times within one.)
 */
export function createLoopRounds(): LoopRounds {
  const { port1, port2 } = new MessageChannel()
  let waiting: (() => void)[] = []
  port2.on('message', () => {
    const due = waiting
    waiting = []
    for (const run of due) run()
  })
  // To wait for the message keeps no process alive.
  port2.unref()
  return {
    after: (run) => {
      waiting.push(run)
      port1.postMessage(undefined)
    },
    close: () => port1.close(),
  }
}
