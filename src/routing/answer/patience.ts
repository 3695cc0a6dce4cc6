import type { Cancel, Clock } from '../../core/clock.ts'
import { GatewayError } from '../../core/failure.ts'

/** How long a stream may say nothing, milliseconds; comments are nothing, and pings no first event. */
export interface Silence {
  /** Before its first event, from the request on. */
  readonly firstMs: number
  /** Between any two. */
  readonly idleMs: number
  /** Between any two where pings come meanwhile, each of them within `idleMs`: a model may think in silence. */
  readonly pingedMs: number
}

/** Watches that a stream goes on talking. */
export interface Patience {
  /** An event came, or a ping: whoever pings lives, yet has not begun to answer. */
  heard(sign?: 'life' | 'event'): void
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
  { firstMs, idleMs, pingedMs }: Silence,
  expire: (error: GatewayError, waitedMs: number) => void,
): Patience {
  let hasBegun = false
  let isPaused = false
  let heardMs = 0
  let aliveMs = 0
  let cancel: Cancel = clock.after(firstMs, () =>
    expire(new GatewayError('timeout', `no first event within ${firstMs} ms`), firstMs),
  )
  const look = (): void => {
    const nowMs = clock.elapsed()
    const leftMs = isPaused ? idleMs : Math.min(aliveMs + idleMs, heardMs + pingedMs) - nowMs
    if (leftMs > 0) cancel = clock.after(leftMs, look)
    else expire(...silent(nowMs < aliveMs + idleMs ? pingedMs : idleMs))
  }
  return {
    heard: (sign = 'event') => {
      aliveMs = clock.elapsed()
      if (sign === 'life') return
      heardMs = aliveMs
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
      aliveMs = heardMs
    },
    stop: () => {
      cancel()
    },
  }
}

function silent(waitedMs: number): readonly [GatewayError, number] {
  return [new GatewayError('timeout', `no event for ${waitedMs} ms within the stream`), waitedMs]
}
