import type { Cancel, Clock } from '../core/clock.ts'

/** How often one looks, milliseconds. */
const EVERY_MS = 100

/** Tells again and again how late the event loop is, milliseconds; gives back what ends it. */
export function watchLag(clock: Clock, tell: (lateMs: number) => void): Cancel {
  let dueMs = clock.precise() + EVERY_MS
  let cancel = clock.after(EVERY_MS, look)
  function look(): void {
    const now = clock.precise()
    tell(Math.max(now - dueMs, 0))
    dueMs = now + EVERY_MS
    cancel = clock.after(EVERY_MS, look)
  }
  return () => cancel()
}
