import type { HedgeRule } from '../../core/hedge-rule.ts'

/** A model group whose slow requests may be sent to a second deployment as well. */
export interface HedgedGroup {
  /** A client's request that may be hedged begins. */
  request(): void
  /** How long an attempt is waited for before a second one begins, milliseconds; undefined: nobody knows yet. */
  afterMs(isStream: boolean): number | undefined
  /** An attempt took so long to its first byte, or at least so long where it was given up for a faster one. */
  saw(isStream: boolean, firstByteMs: number): void
  /** True where one more hedge is within the budget; it is then spent. */
  spend(): boolean
}

/** The groups that hedge, by their names in the config. */
export interface HedgeGroups {
  of(group: string): HedgedGroup | undefined
}

/**
 * So many hedges may be saved up: at 5 % those of the last two hundred requests. An outage is met with them, and then
 * at the pace of the requests.
 */
const MOST_SAVED = 10
/** What the 95th percentile is taken from: the newest so many, once there are so many. */
const SAMPLES = 128
const LEAST_SAMPLES = 20
/** It is worked out again after so many new ones. */
const RENEWED = 8
/** Sooner nobody hedges: the answer may be in the next packet. Milliseconds. */
const LEAST_AFTER_MS = 10

/** Makes the groups of one gateway. */
export function createHedgeGroups(rules: ReadonlyMap<string, HedgeRule>): HedgeGroups {
  const groups = new Map([...rules].map(([name, rule]) => [name, createGroup(rule)]))
  return { of: (group) => groups.get(group) }
}

function createGroup({ after, share }: HedgeRule): HedgedGroup {
  const whole = createPercentile()
  const streams = createPercentile()
  // Counted in requests: a hedge costs as many as must come for one.
  const cost = 1 / share
  let saved = 0
  return {
    request: () => {
      saved = Math.min(saved + 1, cost * MOST_SAVED)
    },
    afterMs: (isStream) => {
      if (after !== 'p95') return after
      const known = (isStream ? streams : whole).value()
      return known === undefined ? undefined : Math.max(known, LEAST_AFTER_MS)
    },
    saw: (isStream, firstByteMs) => (isStream ? streams : whole).add(firstByteMs),
    spend: () => {
      if (saved < cost) return false
      saved -= cost
      return true
    },
  }
}

/** The 95th percentile of what was added lately. */
function createPercentile(): { add(ms: number): void; value(): number | undefined } {
  const samples = new Float64Array(SAMPLES)
  let count = 0
  let known: number | undefined
  let knownAt = 0
  return {
    add: (ms) => {
      samples[count % SAMPLES] = ms
      count += 1
    },
    value: () => {
      if (count < LEAST_SAMPLES) return undefined
      if (known !== undefined && count - knownAt < RENEWED) return known
      const sorted = samples.slice(0, Math.min(count, SAMPLES)).toSorted()
      known = sorted[Math.ceil(sorted.length * 0.95) - 1]
      knownAt = count
      return known
    },
  }
}
