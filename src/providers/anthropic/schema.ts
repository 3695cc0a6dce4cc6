import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { describedSchema } from '../described-schema.ts'
import { unsayable } from './content.ts'
import type { ClaudeModel } from './claude-model.ts'
import type { ToolWords } from './tools.ts'

/** How an answer is asked for in JSON, or the name of the member that asked for more than can be told. */
export interface FormatWords {
  /** `output_config.format`. */
  readonly told?: JsonObject
  /** A tool that Claude must call in place of an answer: its input is the answer. */
  readonly tools?: ToolWords
  readonly lost: readonly string[]
}

/** The tool whose input is the answer, by LiteLLM's name. */
export const ANSWER_TOOL = 'json_tool_call'

const LOST: FormatWords = { lost: ['response_format'] }

/**
 * OpenAI's `response_format` (https://platform.claude.com/docs/en/build-with-claude/structured-outputs). JSON without a
 * schema, and schemas for older models, take a tool that must be called; `mayForce` says whether one may be added.
 * @throws GatewayError bad_request (the client's doing) for a schema that is none
 */
export function toOutputFormat(
  format: Json | undefined,
  { knowsSchemas }: ClaudeModel,
  mayForce: boolean,
): FormatWords {
  if (!isJsonObject(format) || format['type'] === 'text') return { lost: [] }
  if (format['type'] === 'json_object') return mayForce ? forced({}) : LOST
  if (format['type'] !== 'json_schema') return LOST
  const schema = describedSchema(format)
  if (schema === undefined)
    throw unsayable('a "response_format" of the type "json_schema" needs a "schema"', 'response_format')
  if (knowsSchemas) return { told: { type: 'json_schema', schema: closedObject(schema) }, lost: [] }
  if (!mayForce || schema['type'] !== 'object') return LOST
  // Nothing but its good will holds it to the input of a tool.
  return { ...forced(schema), lost: isStrict(format) ? ['response_format.json_schema.strict'] : [] }
}

function isStrict({ json_schema: named }: JsonObject): boolean {
  return isJsonObject(named) && named['strict'] === true
}

function forced(schema: JsonObject): FormatWords {
  const tool = {
    name: ANSWER_TOOL,
    description: 'Gives the answer to the user.',
    input_schema: { type: 'object', ...schema },
  }
  const choice = { type: 'tool', name: ANSWER_TOOL, disable_parallel_tool_use: true }
  return { tools: { tools: [tool], tool_choice: choice }, lost: [] }
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
