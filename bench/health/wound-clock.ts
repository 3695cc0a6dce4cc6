import type { Cancel, Clock } from '../../src/core/clock.ts'

/** A clock that jumps from event to event: a day takes as long as its events do. */
export interface WoundClock extends Pick<Clock, 'elapsed' | 'after'> {
  /** Runs everything that falls due until then. */
  windTo(at: number): void
}

interface Event {
  readonly at: number
  readonly order: number
  run: (() => void) | undefined
}

/** Makes a clock that stands at 0. */
export function createWoundClock(): WoundClock {
  const heap: Event[] = []
  let now = 0
  let order = 0
  const isBefore = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

  function push(event: Event): void {
    let here = heap.length
    heap.push(event)
    while (here > 0) {
      const parent = (here - 1) >> 1
      const above = heap[parent]
      if (above === undefined || !isBefore(event, above)) break
      heap[here] = above
      here = parent
    }
    heap[here] = event
  }

  function pop(): void {
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let here = 0
    for (;;) {
      const left = heap[2 * here + 1]
      const right = heap[2 * here + 2]
      const isRight = left !== undefined && right !== undefined && isBefore(right, left)
      const child = isRight ? right : left
      if (child === undefined || !isBefore(child, last)) break
      heap[here] = child
      here = 2 * here + (isRight ? 2 : 1)
    }
    heap[here] = last
  }

  return {
    elapsed: () => now,
    after: (delayMs, run): Cancel => {
      const event: Event = { at: now + Math.max(delayMs, 0), order: (order += 1), run }
      push(event)
      return () => {
        event.run = undefined
      }
    },
    windTo: (at) => {
      for (let first = heap[0]; first !== undefined && first.at <= at; first = heap[0]) {
        pop()
        now = Math.max(now, first.at)
        first.run?.()
      }
      now = at
    },
  }
}
