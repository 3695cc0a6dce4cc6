/** Counts what happened lately. */
export interface SlidingCount {
  /** One more, or so many more, now. `nowMs` never goes back. */
  add(nowMs: number, amount?: number): void
  /** How many in the window that ends now. */
  total(nowMs: number): number
  /** How long, where nothing is added, until the total is no more than `most`, milliseconds; 0: it is already. */
  waitMs(nowMs: number, most: number): number
}

/** The window moves by this part of its length, where nothing finer is asked for. */
const SLOTS = 10

/** Makes a counter over the last `windowMs` milliseconds, exact to one slot of them; as many numbers as slots, ever. */
export function createSlidingCount(windowMs: number, slotCount: number = SLOTS): SlidingCount {
  const slotMs = windowMs / slotCount
  const slots = new Float64Array(slotCount)
  let newest = 0
  let sum = 0
  const advance = (nowMs: number): void => {
    const slot = Math.floor(nowMs / slotMs)
    if (slot - newest >= slotCount) {
      slots.fill(0)
      sum = 0
    } else {
      for (let each = newest + 1; each <= slot; each++) {
        sum -= slots[each % slotCount] ?? 0
        slots[each % slotCount] = 0
      }
    }
    newest = Math.max(newest, slot)
  }
  return {
    add: (nowMs, amount = 1) => {
      advance(nowMs)
      slots[newest % slotCount] = (slots[newest % slotCount] ?? 0) + amount
      sum += amount
    },
    total: (nowMs) => {
      advance(nowMs)
      return sum
    },
    waitMs: (nowMs, most) => {
      advance(nowMs)
      let left = sum
      for (let oldest = newest - slotCount + 1; oldest <= newest && left > most; oldest++) {
        left -= slots[(oldest + slotCount) % slotCount] ?? 0
        if (left <= most) return (oldest + slotCount) * slotMs - nowMs
      }
      return left > most ? windowMs : 0
    },
  }
}
