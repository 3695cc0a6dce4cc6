import type { Json } from '../core/json.ts'

/** Base64 vectors are little-endian 32-bit floats. */
const FLOAT_BYTES = 4

/** The length of a vector that means something: 0 for no numbers, and for nothing but zeros. */
export function dimensions(vector: Json | undefined): number {
  if (typeof vector === 'string') return base64Dimensions(vector)
  if (!Array.isArray(vector)) return 0
  const isVector = vector.every((one) => typeof one === 'number') && vector.some((one) => one !== 0)
  return isVector ? vector.length : 0
}

function base64Dimensions(text: string): number {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return 0
  const bytes = Buffer.from(text, 'base64')
  return bytes.length % FLOAT_BYTES === 0 && bytes.some((byte) => byte !== 0) ? bytes.length / FLOAT_BYTES : 0
}

/** A list of vectors as they came; undefined where one of them is none. */
export function vectorsOf(listed: readonly Json[]): readonly (string | readonly number[])[] | undefined {
  const vectors = listed.flatMap((vector): (string | readonly number[])[] => {
    if (typeof vector === 'string') return [vector]
    const numbers: readonly Json[] = Array.isArray(vector) ? vector : []
    return numbers.length > 0 && numbers.every(isNumber) ? [numbers] : []
  })
  return vectors.length === listed.length ? vectors : undefined
}

function isNumber(value: Json): value is number {
  return typeof value === 'number'
}
