import type { Cancel, Clock } from '../../core/clock.ts'
import { GatewayError } from '../../core/failure.ts'

/** How long a stream may say nothing, milliseconds; comments are nothing. */
export interface Silence {
  /** Before its first event, from the request on. */
  readonly firstMs: number
  /** Between any two. */
  readonly idleMs: number
}

/** Watches that a stream goes on talking. */
export interface Patience {
  /** An event came. */
  heard(): void
  /** The client takes no more: its slowness is not the upstream's. */
  paused(): void
  resumed(): void
  /** The answer is over. */
  stop(): void
}

/**
 * Waits for events and calls `expire` once where they stay away for too long. One timer, set again when it is over:
 * an event costs no more than a look at the clock.
 */
export function createPatience(
  clock: Clock,
  { firstMs, idleMs }: Silence,
  expire: (error: GatewayError, waitedMs: number) => void,
): Patience {
  let hasBegun = false
  let isPaused = false
  let heardMs = 0
  let cancel: Cancel = clock.after(firstMs, () =>
    expire(new GatewayError('timeout', `no first event within ${firstMs} ms`), firstMs),
  )
  const look = (): void => {
    const leftMs = isPaused ? idleMs : heardMs + idleMs - clock.elapsed()
    if (leftMs > 0) cancel = clock.after(leftMs, look)
    else expire(new GatewayError('timeout', `no event for ${idleMs} ms within the stream`), idleMs)
  }
  return {
    heard: () => {
      heardMs = clock.elapsed()
      if (hasBegun) return
      hasBegun = true
      cancel()
      cancel = clock.after(idleMs, look)
    },
    paused: () => {
      isPaused = true
    },
    resumed: () => {
      isPaused = false
      heardMs = clock.elapsed()
    },
    stop: () => {
      cancel()
    },
  }
}
