/** The mean of the latest few values. */
export interface RecentMean {
  add(nowMs: number, value: number): void
  /** Undefined where no value is recent. */
  mean(nowMs: number): number | undefined
}

/** LiteLLM's number: few enough that a change shows soon. */
const KEPT = 10

/** Makes a mean over the latest ten values that are not older than `windowMs`; twenty numbers, whatever happens. */
export function createRecentMean(windowMs: number): RecentMean {
  const values = new Float64Array(KEPT)
  const times = new Float64Array(KEPT).fill(Number.NEGATIVE_INFINITY)
  let next = 0
  return {
    add: (nowMs, value) => {
      values[next] = value
      times[next] = nowMs
      next = (next + 1) % KEPT
    },
    mean: (nowMs) => {
      let sum = 0
      let count = 0
      for (let each = 0; each < KEPT; each++) {
        if (nowMs - (times[each] ?? 0) > windowMs) continue
        sum += values[each] ?? 0
        count += 1
      }
      return count === 0 ? undefined : sum / count
    },
  }
}
