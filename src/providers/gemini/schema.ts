import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'

/** Google's `Schema`, a subset of OpenAPI 3.0 (https://ai.google.dev/api/caching#Schema): what is carried as it is. */
const CARRIED = new Set([
  'default',
  'description',
  'maxItems',
  'maxLength',
  'maxProperties',
  'maximum',
  'minItems',
  'minLength',
  'minProperties',
  'minimum',
  'nullable',
  'pattern',
  'propertyOrdering',
  'required',
  'title',
])

/** Words about the schema itself: without them it means the same. */
const COMMENTS = new Set(['$schema', '$id', '$comment', '$defs', 'definitions', 'strict'])

/** The formats that a string, a number and an integer may have there; another one is refused with a 400. */
const FORMATS = new Set(['date-time', 'enum', 'float', 'double', 'int32', 'int64'])

/** A reference that leads into itself has no end in a language without references. */
const MAX_DEPTH = 24

/**
 * A JSON Schema in the words of Google's `Schema`; undefined where those cannot say it. Nothing is left out that
 * changes what is valid: `additionalProperties: false` is what a `Schema` means anyway.
 */
export function openApiSchema(schema: JsonObject): JsonObject | undefined {
  return translated(schema, schema, 0)
}

/**
 * The field for a schema: Google's older `Schema` where it can say all of it, else the one beside it that takes JSON
 * Schema itself (https://ai.google.dev/gemini-api/docs/structured-output).
 */
export function schemaField(
  names: { readonly openApi: string; readonly jsonSchema: string },
  schema: JsonObject,
): JsonObject {
  const said = openApiSchema(schema)
  return said === undefined ? { [names.jsonSchema]: schema } : { [names.openApi]: said }
}

function translated(node: JsonObject, root: JsonObject, depth: number): JsonObject | undefined {
  if (depth > MAX_DEPTH) return undefined
  const reference = node['$ref']
  if (reference !== undefined) return referred(node, reference, root, depth)
  const { type, enum: choices, const: only, anyOf, oneOf, allOf, ...rest } = node
  const typed = typeWords(type)
  const enumerated = enumWords(only === undefined ? choices : [only], type)
  const united = unionWords(anyOf ?? oneOf, root, depth)
  const others = otherWords(rest, root, depth)
  if ([typed, enumerated, united, others].includes(undefined)) return undefined
  if (allOf !== undefined || (anyOf !== undefined && oneOf !== undefined)) return undefined
  const said = { ...others, ...typed, ...enumerated, ...united }
  // An object without properties is refused ("should be non-empty for OBJECT type").
  return said['type'] === 'OBJECT' && !isJsonObject(said['properties']) ? undefined : said
}

/** A reference within the document, put in place of itself. */
function referred(
  node: JsonObject,
  reference: Json,
  root: JsonObject,
  depth: number,
): JsonObject | undefined {
  if (typeof reference !== 'string' || !reference.startsWith('#')) return undefined
  let found: Json | undefined = root
  for (const step of reference.split('/').slice(1)) {
    if (!isJsonObject(found)) return undefined
    found = found[step.replaceAll('~1', '/').replaceAll('~0', '~')]
  }
  if (!isJsonObject(found)) return undefined
  const { $ref: _, ...beside } = node
  return translated({ ...found, ...beside }, root, depth + 1)
}

/** `["string", "null"]` is a nullable STRING. */
function typeWords(type: Json | undefined): JsonObject | undefined {
  if (type === undefined) return {}
  if (typeof type === 'string') return { type: type.toUpperCase() }
  if (!Array.isArray(type)) return undefined
  const listed: readonly Json[] = type
  const kinds = listed.filter((one) => one !== 'null')
  const [kind] = kinds
  if (kinds.length !== 1 || typeof kind !== 'string') return undefined
  return { type: kind.toUpperCase(), ...(kinds.length < listed.length && { nullable: true }) }
}

/** Choices are texts there. */
function enumWords(choices: Json | undefined, type: Json | undefined): JsonObject | undefined {
  if (choices === undefined) return {}
  if (!Array.isArray(choices)) return undefined
  const listed: readonly Json[] = choices
  const texts = listed.filter((one) => one !== null)
  if (!texts.every((one) => typeof one === 'string' && one !== '')) return undefined
  return {
    ...(type === undefined && { type: 'STRING' }),
    format: 'enum',
    enum: texts,
    ...(texts.length < listed.length && { nullable: true }),
  }
}

/** `anyOf`; one that only adds null is said as `nullable`. */
function unionWords(union: Json | undefined, root: JsonObject, depth: number): JsonObject | undefined {
  if (union === undefined) return {}
  if (!Array.isArray(union)) return undefined
  const listed: readonly Json[] = union
  const full = listed.filter((one) => !(isJsonObject(one) && one['type'] === 'null'))
  const said = full.map((one) => (isJsonObject(one) ? translated(one, root, depth + 1) : undefined))
  const whole = said.filter((one) => one !== undefined)
  if (whole.length < listed.length - (listed.length - full.length)) return undefined
  const nullable = full.length < listed.length ? { nullable: true } : {}
  const [single] = whole
  return whole.length === 1 && single !== undefined
    ? { ...single, ...nullable }
    : { anyOf: whole, ...nullable }
}

function otherWords(rest: JsonObject, root: JsonObject, depth: number): JsonObject | undefined {
  const said: Record<string, Json> = {}
  for (const [key, value] of Object.entries(rest)) {
    if (value === undefined || COMMENTS.has(key)) continue
    if (key === 'additionalProperties' && value === false) continue
    const word = otherWord(key, value, root, depth)
    if (word === undefined) return undefined
    said[key] = word
  }
  return said
}

function otherWord(key: string, value: Json, root: JsonObject, depth: number): Json | undefined {
  if (CARRIED.has(key)) return value
  if (key === 'format') return typeof value === 'string' && FORMATS.has(value) ? value : undefined
  if (key === 'items') return isJsonObject(value) ? translated(value, root, depth + 1) : undefined
  if (key !== 'properties' || !isJsonObject(value)) return undefined
  const said = Object.entries(value).map(([name, one]): [string, JsonObject | undefined] => [
    name,
    isJsonObject(one) ? translated(one, root, depth + 1) : undefined,
  ])
  // No property at all: the caller says that of the whole object.
  if (said.length === 0 || said.some(([, one]) => one === undefined)) return undefined
  return Object.fromEntries(said)
}
