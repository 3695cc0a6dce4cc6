import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { unsayable } from './content.ts'
import type { ClaudeModel } from './claude-model.ts'

/** `output_config.format`, or the name of the member that asked for more than can be told. */
export interface FormatWords {
  readonly told?: JsonObject
  readonly lost: readonly string[]
}

/**
 * OpenAI's `response_format` (https://platform.claude.com/docs/en/build-with-claude/structured-outputs). Any JSON
 * without a schema is more than Claude can be held to.
 * @throws GatewayError bad_request (the client's doing) for a schema that is none
 */
export function toOutputFormat(format: Json | undefined, { knowsSchemas }: ClaudeModel): FormatWords {
  if (!isJsonObject(format) || format['type'] === 'text') return { lost: [] }
  if (format['type'] !== 'json_schema' || !knowsSchemas) return { lost: ['response_format'] }
  const named = format['json_schema']
  const schema = isJsonObject(named) ? named['schema'] : undefined
  if (!isJsonObject(schema))
    throw unsayable('a "response_format" of the type "json_schema" needs a "schema"', 'response_format')
  return { told: { type: 'json_schema', schema: closedObject(schema) }, lost: [] }
}

/**
 * Claude takes only schemas whose objects are closed. Whatever fits the closed one fits the open one as well, so that
 * those who left it open get what they asked for.
 */
function closed(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(closed)
  return isJsonObject(schema) ? closedObject(schema) : schema
}

/** Members whose values are schemas by name. */
const BY_NAME = new Set(['properties', '$defs', 'definitions'])
/** Members whose value is a schema, or a list of them. */
const SCHEMAS = new Set(['items', 'prefixItems', 'anyOf', 'allOf', 'oneOf'])

function closedObject(schema: JsonObject): JsonObject {
  const entries = Object.entries(schema).map(([name, value]): [string, Json | undefined] => {
    if (BY_NAME.has(name) && isJsonObject(value)) return [name, closedMembers(value)]
    return [name, SCHEMAS.has(name) && value !== undefined ? closed(value) : value]
  })
  const isOpen = schema['type'] === 'object' && schema['additionalProperties'] === undefined
  return { ...Object.fromEntries(entries), ...(isOpen && { additionalProperties: false }) }
}

function closedMembers(members: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [name, value === undefined ? value : closed(value)]),
  )
}
