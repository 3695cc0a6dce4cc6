/** Makes one sample of several, without what would then sound like something else. */
export interface Decimator {
  /** Samples of 16 bits, little-endian, cut anywhere; as many as are whole become samples at the lower rate. */
  take(bytes: Buffer): readonly number[]
}

/** Taps of the filter for each sample that is made one of, on either side. */
const TAPS_A_SIDE = 12
/** What is left of the lower rate's half: a telephone's 3.4 kHz of 4. */
const PASSED = 0.85

/** Makes it, for `factor` samples at a time; 1 changes nothing. */
export function createDecimator(factor: number): Decimator {
  const taps = lowPass(factor)
  // Silence came before.
  let history = new Float64Array(taps.length - 1)
  let cut: Buffer = Buffer.alloc(0)
  // Samples until the next that is kept.
  let wait = 0
  return {
    take: (bytes) => {
      const whole = cut.length === 0 ? bytes : Buffer.concat([cut, bytes])
      const count = whole.length >> 1
      cut = whole.subarray(count * 2)
      const samples = new Float64Array(history.length + count)
      samples.set(history)
      for (let at = 0; at < count; at += 1) samples[history.length + at] = whole.readInt16LE(at * 2)
      const kept: number[] = []
      for (; wait < count; wait += factor) kept.push(filtered(samples, wait, taps))
      wait -= count
      history = samples.slice(count)
      return kept
    },
  }
}

function filtered(samples: Float64Array, from: number, taps: Float64Array): number {
  let sum = 0
  for (let at = 0; at < taps.length; at += 1) sum += (taps[at] ?? 0) * (samples[from + at] ?? 0)
  return sum
}

/** A windowed sinc (Hamming's window) that adds up to 1. */
function lowPass(factor: number): Float64Array {
  if (factor === 1) return Float64Array.of(1)
  const side = TAPS_A_SIDE * factor
  const cutoff = PASSED / factor
  const taps = Float64Array.from({ length: 2 * side + 1 }, (_, at) => {
    const x = (at - side) * cutoff
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
    return sinc * (0.54 - 0.46 * Math.cos((Math.PI * at) / side))
  })
  const sum = taps.reduce((all, tap) => all + tap, 0)
  return taps.map((tap) => tap / sum)
}
