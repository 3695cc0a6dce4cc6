import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'

/**
 * The schema of OpenAI's `response_format`, whichever provider takes it: what the answer is for stands beside the schema
 * there, and in it here, where every model reads it. Undefined where there is none.
 */
export function describedSchema(format: Json | undefined): JsonObject | undefined {
  const named = isJsonObject(format) ? format['json_schema'] : undefined
  const schema = isJsonObject(named) ? named['schema'] : undefined
  if (!isJsonObject(named) || !isJsonObject(schema)) return undefined
  const { description } = named
  return typeof description === 'string' && schema['description'] === undefined
    ? { description, ...schema }
    : schema
}
