import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { refuse } from '../request/request.ts'

/** A value as text, where it is one. */
export function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** A value as a whole number of tokens; 0 where it is none. */
export function countOf(value: Json | undefined): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0
}

/** The member of an object, where there is an object. */
export function memberOf(value: Json | undefined, name: string): Json | undefined {
  return isJsonObject(value) ? value[name] : undefined
}

/**
 * The objects of a list.
 * @throws GatewayError bad_request where it is no list of objects
 */
export function objectsOf(value: Json | undefined, path: string): readonly JsonObject[] {
  if (!Array.isArray(value)) throw refuse(`'${path}' must be an array.`, path)
  return value.map((each: Json, index) => {
    if (!isJsonObject(each)) throw refuse(`'${path}[${index}]' must be an object.`, path)
    return each
  })
}

/** The members that are there. */
export function present(members: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

/** All members but these. */
export function without(body: JsonObject, names: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !names.has(name)))
}
