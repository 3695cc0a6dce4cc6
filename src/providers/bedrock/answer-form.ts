import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { textOf } from '../answer.ts'
import { describedSchema } from '../described-schema.ts'
import { claudeVersion } from './model-id.ts'
import { answerTool } from './tools.ts'

/** How an answer in JSON is asked for. */
export interface AnswerForm {
  /** `outputConfig.textFormat` */
  readonly textFormat?: JsonObject
  /** The tool that the model is made to answer through. */
  readonly tool?: JsonObject
  readonly isDropped: boolean
  /** What of it is not told, and changes no question. */
  readonly hints: readonly string[]
}

const FREE: AnswerForm = { isDropped: false, hints: [] }
const UNTOLD: AnswerForm = { isDropped: true, hints: [] }
/** The first claude that takes a schema for its text (https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html). */
const FIRST_WITH_SCHEMA = 405

/**
 * `response_format` for a model. Claudes and Novas that take no schema are made to call a tool with it, as LiteLLM does;
 * so are all of them where only some JSON is wanted, for which Bedrock has no word.
 */
export function toAnswerForm(format: Json | undefined, name: string): AnswerForm {
  const type = isJsonObject(format) ? format['type'] : undefined
  if (!isJsonObject(format) || type === undefined || type === 'text') return FREE
  const version = claudeVersion(name)
  const byTool = version !== undefined || /^(anthropic\.claude|amazon\.nova)/.test(name)
  if (type === 'json_object') {
    return byTool
      ? { ...FREE, tool: answerTool({ type: 'object', properties: {}, additionalProperties: true }) }
      : UNTOLD
  }
  const named = format['json_schema']
  const schema = describedSchema(format)
  if (type !== 'json_schema' || !isJsonObject(named) || schema === undefined) return UNTOLD
  if (byTool && (version ?? 0) < FIRST_WITH_SCHEMA) {
    // Nothing but its good will holds it to the input of a tool.
    const hints = named['strict'] === true ? ['response_format.json_schema.strict'] : []
    return { ...FREE, tool: answerTool(schema), hints }
  }
  const title = textOf(named['name'])
  const description = textOf(named['description'])
  const jsonSchema = {
    schema: JSON.stringify(named['schema']),
    ...(title !== undefined && { name: title }),
    ...(description !== undefined && { description }),
  }
  return { ...FREE, textFormat: { type: 'json_schema', structure: { jsonSchema } } }
}
