/** How long first tokens usually take, by deployment, size of the prompt, and whether the answer is streamed. */
export interface FirstTokens {
  /** One more success. True where it took far longer than usual. A frozen baseline judges but does not learn. */
  observe(index: number, bucket: number, ms: number, isFrozen: boolean): boolean
  /** The slowest bucket's usual time, milliseconds; undefined where too little is known. */
  usualMs(index: number): number | undefined
  /** After so long without a first token something is wrong, milliseconds. */
  budgetMs(index: number, timeoutMs: number): number
  /** How long a probe waits for its first token, milliseconds: it asks for little. */
  probeMs(index: number): number
}

/** Bytes a token, roughly; buckets are prompts up to 1k, 8k and 32k tokens, and longer ones. */
const BYTES_A_TOKEN = 4
const BOUNDS = [1024, 8192, 32_768].map((tokens) => tokens * BYTES_A_TOKEN)
const BUCKETS = 2 * (BOUNDS.length + 1)
/** Each bucket keeps mean and variance of ln(ms), and how many it has seen. */
const FIELDS = 3
const SAMPLES = 200
const LEAST_SAMPLES = 20
const LEAST_USUAL = 5
const LEAST_SIGMA = 0.2
/** φ = −log10(1 − Φ(z)) ≥ 3: one in a thousand is as late. */
const SLOW_Z = 3.0902
const P99_Z = 2.326
const SLOW_MS = 2000
const SLOW_TIMES = 2
/** No first token for one and a half times the 99th percentile, but 10 s at least; 20 s where too little is known. */
const BUDGET_TIMES = 1.5
const LEAST_BUDGET_MS = 10_000
const UNKNOWN_BUDGET_MS = 20_000
/** A probe waits four times the 99th percentile, within these bounds. */
const PROBE_TIMES = 4
const LEAST_PROBE_MS = 5000
const MOST_PROBE_MS = 15_000

/** The bucket of a request. */
export function bucketOf(promptBytes: number, isStreamed: boolean): number {
  const size = BOUNDS.findIndex((bound) => promptBytes <= bound)
  return (size === -1 ? BOUNDS.length : size) * 2 + (isStreamed ? 1 : 0)
}

/** Makes the baselines of so many deployments: 192 bytes each. */
export function createFirstTokens(count: number): FirstTokens {
  const numbers = new Float64Array(count * BUCKETS * FIELDS)
  const slot = (index: number, bucket: number): number => (index * BUCKETS + bucket) * FIELDS
  const at = (position: number): number => numbers[position] ?? 0
  const learn = (position: number, x: number): void => {
    const seen = at(position + 2)
    const share = 1 / Math.min(seen + 1, SAMPLES)
    const off = x - at(position)
    numbers[position] = at(position) + share * off
    numbers[position + 1] = (1 - share) * (at(position + 1) + share * off * off)
    numbers[position + 2] = seen + 1
  }
  const worst = (index: number, z: number, least: number): number | undefined => {
    let most: number | undefined
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      const position = slot(index, bucket)
      if (at(position + 2) < least) continue
      const sigma = Math.max(Math.sqrt(at(position + 1)), LEAST_SIGMA)
      const ms = Math.exp(at(position) + z * sigma)
      if (most === undefined || ms > most) most = ms
    }
    return most
  }
  return {
    observe: (index, bucket, ms, isFrozen) => {
      const position = slot(index, bucket)
      const x = Math.log(Math.max(ms, 1))
      const mean = at(position)
      const sigma = Math.max(Math.sqrt(at(position + 1)), LEAST_SIGMA)
      const isSlow =
        at(position + 2) >= LEAST_SAMPLES &&
        x - mean >= SLOW_Z * sigma &&
        ms > SLOW_MS &&
        ms > SLOW_TIMES * Math.exp(mean)
      // What is called slow is not learnt from: else the baseline would follow the sickness.
      if (!isFrozen && !isSlow) learn(position, x)
      return isSlow
    },
    usualMs: (index) => worst(index, 0, LEAST_USUAL),
    budgetMs: (index, timeoutMs) => {
      const p99 = worst(index, P99_Z, LEAST_SAMPLES)
      const budget = p99 === undefined ? UNKNOWN_BUDGET_MS : Math.max(BUDGET_TIMES * p99, LEAST_BUDGET_MS)
      return Math.min(budget, timeoutMs)
    },
    probeMs: (index) => {
      const p99 = worst(index, P99_Z, LEAST_SAMPLES)
      if (p99 === undefined) return MOST_PROBE_MS
      return Math.min(Math.max(PROBE_TIMES * p99, LEAST_PROBE_MS), MOST_PROBE_MS)
    },
  }
}
