import type { Json } from '../../core/json.ts'

/** Fixed scores: the first document is the best, the others half as good as the one before. */
export function ranked(
  documents: Json | undefined,
  most: Json | undefined,
): readonly { index: number; score: number }[] {
  const count = Array.isArray(documents) ? documents.length : 0
  const wanted = typeof most === 'number' ? Math.min(most, count) : count
  return Array.from({ length: wanted }, (_, index) => ({ index, score: 0.5 ** (index + 1) }))
}

/** Vectors of OpenAI's form, one a text. */
export function vectors(input: Json | undefined, isBase64: boolean): readonly Json[] {
  const count = Array.isArray(input) ? input.length : 1
  return Array.from({ length: count }, (_, index) => ({
    object: 'embedding',
    index,
    // 0.1, -0.2 and 0.3 as little-endian 32-bit floats.
    embedding: isBase64 ? 'zczMPc3MTL6amZk+' : [0.1, -0.2, 0.3],
  }))
}
