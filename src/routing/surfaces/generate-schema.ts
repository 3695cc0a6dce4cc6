import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { camelled } from './generate-words.ts'

/** Bounds that protocol buffers write as text, for they have 64 bits. */
const BOUNDS = new Set(['maxItems', 'maxLength', 'maxProperties', 'minItems', 'minLength', 'minProperties'])
/** Formats that say how Google reads a value, and nothing about which are valid. */
const OWN_FORMATS = new Set<Json | undefined>(['enum', 'float', 'double', 'int32', 'int64'])

/**
 * Google's `Schema`, a subset of OpenAPI 3.0 (https://ai.google.dev/api/caching#Schema), as JSON Schema. What is no
 * member of an object there is none here.
 */
export function jsonSchemaOf(schema: Json | undefined): JsonObject {
  if (!isJsonObject(schema)) return {}
  const { type, nullable, format, properties, items, anyOf, propertyOrdering, ...rest } = camelled(schema)
  const kind = typeof type === 'string' && type !== 'TYPE_UNSPECIFIED' ? type.toLowerCase() : undefined
  const isNullable = nullable === true
  const { enum: choices, example: _, additionalProperties: more = false, ...others } = rest
  return {
    ...(kind !== undefined && { type: isNullable ? [kind, 'null'] : kind }),
    ...Object.fromEntries(Object.entries(others).map(([name, value]) => [name, bound(name, value)])),
    ...(format !== undefined && !OWN_FORMATS.has(format) && { format }),
    ...(Array.isArray(choices) && { enum: isNullable ? [...choices, null] : choices }),
    ...(isJsonObject(properties) && {
      properties: ordered(properties, propertyOrdering),
      additionalProperties: isJsonObject(more) ? jsonSchemaOf(more) : more,
    }),
    ...(items !== undefined && { items: jsonSchemaOf(items) }),
    ...(Array.isArray(anyOf) && {
      anyOf: [...anyOf.map(jsonSchemaOf), ...(isNullable && kind === undefined ? [{ type: 'null' }] : [])],
    }),
  }
}

function bound(name: string, value: Json | undefined): Json | undefined {
  return BOUNDS.has(name) && typeof value === 'string' ? Number(value) : value
}

/** Models write members in the order of the schema's. */
function ordered(properties: JsonObject, order: Json | undefined): JsonObject {
  const first = Array.isArray(order) ? order.filter((name) => typeof name === 'string') : []
  const names = [...new Set([...first, ...Object.keys(properties)])]
  return Object.fromEntries(
    names
      .filter((name) => properties[name] !== undefined)
      .map((name) => [name, jsonSchemaOf(properties[name])]),
  )
}

/** What OpenAI holds a model to (https://platform.openai.com/docs/guides/structured-outputs#supported-schemas). */
const STRICT_WORDS = new Set([
  'additionalProperties',
  'anyOf',
  'description',
  'enum',
  'items',
  'maxItems',
  'maximum',
  'minItems',
  'minimum',
  'pattern',
  'properties',
  'required',
  'title',
  'type',
])

/** Can a model be held to this schema strictly? Not where a member may be missing, or a word is used that OpenAI refuses then. */
export function isStrict(schema: JsonObject, isRoot = true): boolean {
  if (Object.keys(schema).some((name) => !STRICT_WORDS.has(name))) return false
  const { type, properties, required, additionalProperties, items, anyOf } = schema
  if (isRoot && type !== 'object') return false
  const isObject = type === 'object' || (Array.isArray(type) && type.includes('object'))
  const members = isJsonObject(properties) ? properties : {}
  const all = new Set<Json>(Array.isArray(required) ? required : [])
  if (isObject && (additionalProperties !== false || Object.keys(members).some((name) => !all.has(name))))
    return false
  const unions: readonly Json[] = Array.isArray(anyOf) ? anyOf : []
  return [...Object.values(members), ...unions, ...(items === undefined ? [] : [items])].every(
    (inner) => isJsonObject(inner) && isStrict(inner, false),
  )
}
