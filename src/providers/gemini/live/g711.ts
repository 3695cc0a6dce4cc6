/** The two forms of G.711 (ITU-T G.711, 11/1988): 8 bits a sample, 8,000 samples a second. */
export type Law = 'pcmu' | 'pcma'

/** What is added before a µ-law sample is told by its highest bit, and the largest that can be. */
const BIAS = 0x84
const MOST = 0x7fff - BIAS
/** Every other bit of an A-law sample is turned over on the line. */
const EVEN_BITS = 0x55

const EXPANDED: { readonly [L in Law]: Int16Array } = {
  pcmu: Int16Array.from({ length: 256 }, (_, code) => fromULaw(code)),
  pcma: Int16Array.from({ length: 256 }, (_, code) => fromALaw(code)),
}

/** Samples of 16 bits, little-endian, as many as there are bytes. */
export function expanded(bytes: Uint8Array, law: Law): Buffer {
  const table = EXPANDED[law]
  const pcm = Buffer.allocUnsafe(bytes.length * 2)
  for (const [at, code] of bytes.entries()) pcm.writeInt16LE(table[code] ?? 0, at * 2)
  return pcm
}

/** A byte for each sample of 16 bits; what is beyond 16 bits is as loud as it can be. */
export function compressed(samples: ArrayLike<number>, law: Law): Buffer {
  const code = law === 'pcmu' ? toULaw : toALaw
  return Buffer.from(Array.from(samples, (sample) => code(Math.round(clipped(sample)))))
}

function clipped(sample: number): number {
  return Math.max(-0x8000, Math.min(0x7fff, sample))
}

function fromULaw(code: number): number {
  const bits = ~code & 0xff
  const size = (((bits & 0x0f) << 3) + BIAS) << ((bits & 0x70) >> 4)
  return bits & 0x80 ? BIAS - size : size - BIAS
}

function toULaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0
  const size = Math.min(Math.abs(sample), MOST) + BIAS
  const exponent = highestBit(size) - 7
  const mantissa = (size >> (exponent + 3)) & 0x0f
  return ~(sign | (exponent << 4) | mantissa) & 0xff
}

function fromALaw(code: number): number {
  const bits = code ^ EVEN_BITS
  const segment = (bits & 0x70) >> 4
  const step = (bits & 0x0f) << 4
  const size = segment === 0 ? step + 8 : (step + 0x108) << (segment - 1)
  return bits & 0x80 ? size : -size
}

function toALaw(sample: number): number {
  const sign = sample < 0 ? 0 : 0x80
  // Negative numbers are one nearer to zero there.
  const size = (sample < 0 ? ~sample : sample) >> 3
  const segment = Math.max(0, highestBit(size) - 4)
  const step = (size >> Math.max(1, segment)) & 0x0f
  return (sign | (segment << 4) | step) ^ EVEN_BITS
}

/** Which bit is the first one from above, the lowest being 0; -1 where there is none. */
function highestBit(size: number): number {
  return 31 - Math.clz32(size)
}
