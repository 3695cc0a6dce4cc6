/** Counts what happened lately. */
export interface SlidingCount {
  /** One more, now. `nowMs` never goes back. */
  add(nowMs: number): void
  /** How many in the window that ends now. */
  total(nowMs: number): number
}

/** The window moves by this part of its length. */
const SLOTS = 10

/** Makes a counter over the last `windowMs` milliseconds, exact to a tenth of them; ten numbers, whatever happens. */
export function createSlidingCount(windowMs: number): SlidingCount {
  const slotMs = windowMs / SLOTS
  const slots = Array.from({ length: SLOTS }, () => 0)
  let newest = 0
  let sum = 0
  const advance = (nowMs: number): void => {
    const slot = Math.floor(nowMs / slotMs)
    if (slot - newest >= SLOTS) {
      slots.fill(0)
      sum = 0
    } else {
      for (let each = newest + 1; each <= slot; each++) {
        sum -= slots[each % SLOTS] ?? 0
        slots[each % SLOTS] = 0
      }
    }
    newest = Math.max(newest, slot)
  }
  return {
    add: (nowMs) => {
      advance(nowMs)
      slots[newest % SLOTS] = (slots[newest % SLOTS] ?? 0) + 1
      sum += 1
    },
    total: (nowMs) => {
      advance(nowMs)
      return sum
    },
  }
}
