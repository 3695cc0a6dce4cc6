import type { Json, JsonObject } from '../../core/json.ts'
import { isJsonObject } from '../../core/json.ts'

/** What a value may be. */
type Kind = 'text' | 'whole' | 'flag' | 'texts' | 'object' | 'objects'

/** A body that holds these members and no other. */
export interface ClosedBody {
  readonly required: Readonly<Record<string, readonly Kind[]>>
  readonly optional: Readonly<Record<string, readonly Kind[]>>
}

/** What is wrong with a body, and with which member. */
export interface Fault {
  readonly kind: 'missing' | 'unknown' | 'type'
  readonly name: string
}

/** The first thing that is wrong with a body; undefined for a good one. */
export function faultIn(json: JsonObject | undefined, { required, optional }: ClosedBody): Fault | undefined {
  if (json === undefined) return { kind: 'type', name: 'body' }
  const missing = Object.keys(required).find((name) => json[name] === undefined)
  if (missing !== undefined) return { kind: 'missing', name: missing }
  for (const [name, value] of Object.entries(json)) {
    const kinds = required[name] ?? optional[name]
    if (kinds === undefined) return { kind: 'unknown', name }
    if (value === null && required[name] === undefined) continue
    if (!kinds.some((kind) => isOf(value, kind))) return { kind: 'type', name }
  }
  return undefined
}

function isOf(value: Json | undefined, kind: Kind): boolean {
  switch (kind) {
    case 'text':
      return typeof value === 'string'
    case 'whole':
      return Number.isInteger(value)
    case 'flag':
      return typeof value === 'boolean'
    case 'texts':
      return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string')
    case 'object':
      return isJsonObject(value)
    case 'objects':
      return Array.isArray(value) && value.length > 0 && value.every((one: Json) => isJsonObject(one))
  }
}
