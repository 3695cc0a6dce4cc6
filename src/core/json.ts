/** Any JSON value, read-only. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
/** A JSON object whose keys we do not all know. */
export type JsonObject = { readonly [key: string]: Json | undefined }

/** True for a JSON object: not null, not an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * True where arrays and objects stand in each other more than `levels` deep: V8 reads such a text, and overflows its
 * stack where it writes it.
 */
export function isDeeperThan(levels: number, value: Json | undefined): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  return Object.values(value).some((inner: Json | undefined) => isDeeperThan(levels - 1, inner))
}

/** JSON text → value; undefined where it is no JSON. Blank lines before it (a keep-alive habit) are fine. */
export function parseJson(text: string): Json | undefined {
  try {
    const value: Json = JSON.parse(text)
    return value
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
