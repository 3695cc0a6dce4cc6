/** Any JSON value, read-only. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
/** A JSON object whose keys we do not all know. */
export type JsonObject = { readonly [key: string]: Json | undefined }

/** True for a JSON object: not null, not an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
