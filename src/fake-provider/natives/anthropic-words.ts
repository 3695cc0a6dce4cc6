import type { Json, JsonObject } from '../../core/json.ts'

/** A sentence of Anthropic's about what is wrong, or undefined. */
export type Complaint = string | undefined

/** Pydantic's word for a member that is not in the description. */
export function extra(path: string, value: JsonObject, allowed: readonly string[]): Complaint {
  const unknown = Object.keys(value).find((name) => !allowed.includes(name))
  return unknown === undefined ? undefined : `${path}${unknown}: Extra inputs are not permitted`
}

/** A value as a text, whatever it is. */
export function word(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null)
}
