const VECTOR = [0.1, -0.2, 0.3] as const

/** The embedding that every text gets, repeated up to the dimensions asked for. */
export function embeddingVector(dimensions: number): readonly number[] {
  return Array.from({ length: Math.min(dimensions, 4096) }, (_, at) => VECTOR[at % VECTOR.length] ?? 0)
}

/** The same as little-endian 32-bit floats in base64, which is what OpenAI's own clients ask for. */
export const VECTOR_AS_BASE64 = Buffer.from(new Float32Array(VECTOR).buffer).toString('base64')
