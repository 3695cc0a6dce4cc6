/** What the watch asks of the outside. */
export interface LoopDeps {
  /** Milliseconds since some moment. */
  readonly elapsed: () => number
  /** Runs it once all that the event loop has at hand is done: setImmediate. */
  readonly afterTurn: (run: () => void) => void
}

/** True where the request that is looked at came too late in a turn of the event loop. */
export type IsLoopBusy = () => boolean

/**
 * Watches how long the event loop is busy without a pause, by the requests it brings. All that waits in the kernel is
 * handed over in one turn, so that a turn's length is what the last in it have waited, and what the next ones will.
 * Within a turn only requests that come after `mostMs` are late, and only where the turn before was as long: one long
 * pause, for collecting garbage or for one large body, refuses nobody. A gateway that merely waits for upstreams has
 * short turns however many requests are in flight.
 */
export function createBusyLoop(mostMs: number, { elapsed, afterTurn }: LoopDeps): IsLoopBusy {
  let isTurn = false
  let beganMs = 0
  let endedMs = 0
  let wasLong = false
  const end = (): void => {
    endedMs = elapsed()
    wasLong = endedMs - beganMs > mostMs
    isTurn = false
  }
  return () => {
    const nowMs = elapsed()
    if (isTurn) return wasLong && nowMs - beganMs > mostMs
    isTurn = true
    beganMs = nowMs
    // After a rest the last turn says nothing any more.
    if (nowMs - endedMs > mostMs) wasLong = false
    afterTurn(end)
    return false
  }
}
