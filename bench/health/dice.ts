/** Chance that can be repeated: the same seed gives the same day. */
export interface Dice {
  /** Uniform in [0, 1). */
  next(): number
  /** Exponential with this mean. */
  exponential(mean: number): number
  /** Log-normal with this median and this spread of the logarithm. */
  logNormal(median: number, sigma: number): number
}

/** Makes dice by mulberry32. */
export function createDice(seed: number): Dice {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  // Box and Muller's: two uniform numbers make a normal one.
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
  return {
    next,
    exponential: (mean) => -mean * Math.log(1 - next()),
    logNormal: (median, sigma) => median * Math.exp(sigma * normal()),
  }
}
