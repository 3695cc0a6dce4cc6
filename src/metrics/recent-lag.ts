/** How far the event loop lagged behind lately. */
export interface RecentLag {
  saw(lateMs: number): void
  /** The 99th percentile of the newest hundred looks, milliseconds. */
  p99Ms(): number
}

const SAMPLES = 100

/** Remembers the newest hundred looks: ten seconds. One stall alone is no lag. */
export function createRecentLag(): RecentLag {
  const samples = new Float64Array(SAMPLES)
  let next = 0
  let known: number | undefined
  return {
    saw: (lateMs) => {
      samples[next] = lateMs
      next = (next + 1) % SAMPLES
      known = undefined
    },
    p99Ms: () => (known ??= secondLargest(samples)),
  }
}

function secondLargest(samples: Float64Array): number {
  let most = 0
  let second = 0
  for (const sample of samples) {
    if (sample > most) {
      second = most
      most = sample
    } else if (sample > second) second = sample
  }
  return second
}
