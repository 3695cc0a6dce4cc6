import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { NativeCall } from './native.ts'

/** The first member of a body that is not among those a provider has; undefined for none. */
export function strangeMember(body: JsonObject, known: ReadonlySet<string>): string | undefined {
  return Object.keys(body).find((name) => !known.has(name))
}

/** A JSON list's objects. */
export function objectsIn(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

/**
 * The tools that a chat is answered with calls of: every one that is offered, in parallel, as long as the user spoke
 * last.
 */
export function toolsToCall(body: JsonObject): readonly string[] {
  const last = objectsIn(body['messages']).at(-1)
  if (last?.['role'] !== 'user') return []
  return objectsIn(body['tools']).flatMap((tool) => {
    const described = tool['function']
    const name = isJsonObject(described) ? described['name'] : undefined
    return typeof name === 'string' ? [name] : []
  })
}

/** What was sent as a bearer; undefined where nothing was. */
export function bearerOf({ headers }: Pick<NativeCall, 'headers'>): string | undefined {
  return /^bearer\s+(\S.*)$/i.exec(headers.authorization ?? '')?.[1]
}

/** Is that a valid credential here? */
export function isValid(key: string | undefined, { keys }: Pick<NativeCall, 'keys'>): boolean {
  return key !== undefined && (keys === undefined || keys.has(key))
}
