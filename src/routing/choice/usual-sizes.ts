/** What answers usually cost, for a guess while one is under way: a small question may have a long answer. */
export interface UsualSizes {
  /** An answer of this deployment was so many tokens, its question included. */
  saw(index: number, tokens: number): void
  /** For a question of so many: as many, or what answers here, or anywhere, usually cost. Whole. */
  guess(index: number, tokens: number): number
}

/** How fast a mean follows what is seen. */
const SHARE = 0.1

/** Makes the means of so many deployments; nothing has been seen yet. */
export function createUsualSizes(count: number): UsualSizes {
  const means = new Float64Array(count)
  let meanOfAll = 0
  return {
    saw: (index, tokens) => {
      means[index] = follow(means[index] ?? 0, tokens)
      meanOfAll = follow(meanOfAll, tokens)
    },
    guess: (index, tokens) => Math.ceil(Math.max(tokens, means[index] || meanOfAll)),
  }
}

function follow(mean: number, value: number): number {
  return mean === 0 ? value : mean + (value - mean) * SHARE
}
