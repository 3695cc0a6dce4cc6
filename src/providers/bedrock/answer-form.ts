import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { textOf } from '../answer.ts'
import { claudeVersion } from './model-id.ts'
import { answerTool } from './tools.ts'

/** How an answer in JSON is asked for. */
export interface AnswerForm {
  /** `outputConfig.textFormat` */
  readonly textFormat?: JsonObject
  /** The tool that the model is made to answer through. */
  readonly tool?: JsonObject
  readonly isDropped: boolean
}

const FREE: AnswerForm = { isDropped: false }
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
      ? { tool: answerTool({ type: 'object', properties: {}, additionalProperties: true }), isDropped: false }
      : { isDropped: true }
  }
  const named = format['json_schema']
  const schema = isJsonObject(named) ? named['schema'] : undefined
  if (type !== 'json_schema' || !isJsonObject(named) || !isJsonObject(schema)) return { isDropped: true }
  if (byTool && (version ?? 0) < FIRST_WITH_SCHEMA) return { tool: answerTool(schema), isDropped: false }
  const title = textOf(named['name'])
  const description = textOf(named['description'])
  const jsonSchema = {
    schema: JSON.stringify(schema),
    ...(title !== undefined && { name: title }),
    ...(description !== undefined && { description }),
  }
  return { textFormat: { type: 'json_schema', structure: { jsonSchema } }, isDropped: false }
}
