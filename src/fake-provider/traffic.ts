/** How much went to one name: an order segment or a model. */
export interface Traffic {
  readonly total: number
  readonly inFlight: number
  readonly maxInFlight: number
}

/** Counts requests while they run: the referee of concurrency tests. */
export interface TrafficCount {
  /** Counts a request under each name; the returned function ends it, once. */
  enter(names: readonly string[]): () => void
  /** Of one name, or of everything. */
  of(name?: string): Traffic
  clear(): void
}

interface Counter {
  total: number
  inFlight: number
  maxInFlight: number
}

/** Names beyond this are counted in the whole only. */
const MAX_NAMES = 20_000

const NOTHING: Traffic = { total: 0, inFlight: 0, maxInFlight: 0 }

/** Makes an empty count. */
export function createTrafficCount(): TrafficCount {
  const all: Counter = { ...NOTHING }
  const byName = new Map<string, Counter>()
  const counterOf = (name: string): Counter | undefined => {
    const found = byName.get(name)
    if (found !== undefined || byName.size >= MAX_NAMES) return found
    const counter = { ...NOTHING }
    byName.set(name, counter)
    return counter
  }
  return {
    enter: (names) => {
      const counters = [all]
      for (const name of new Set(names)) {
        const counter = counterOf(name)
        if (counter !== undefined) counters.push(counter)
      }
      for (const counter of counters) begin(counter)
      let isOver = false
      return () => {
        if (isOver) return
        isOver = true
        for (const counter of counters) counter.inFlight -= 1
      }
    },
    of: (name) => ({ ...(name === undefined ? all : (byName.get(name) ?? NOTHING)) }),
    clear: () => {
      for (const counter of [all, ...byName.values()]) {
        counter.total = 0
        counter.maxInFlight = counter.inFlight
      }
    },
  }
}

function begin(counter: Counter): void {
  counter.total += 1
  counter.inFlight += 1
  counter.maxInFlight = Math.max(counter.maxInFlight, counter.inFlight)
}
