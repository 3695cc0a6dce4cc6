import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { textOf } from '../answer.ts'
import { cachePoint, fitted, type Caches } from './caches.ts'
import { unsayable } from './content.ts'

/** A made-up tool: models without structured output are made to call it, and its input is the answer. LiteLLM's name. */
export const JSON_TOOL = 'json_tool_call'

/** What the tools of a request come to. */
export interface Tooling {
  readonly toolConfig?: JsonObject
  readonly dropped: readonly string[]
  /** Must the model call something? */
  readonly isForced: boolean
}

/**
 * Tools and their choice in Converse's words
 * (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html). There is no word for
 * "none": the tools are left out then, unless the conversation has calls, which need them.
 */
export function toTooling(
  request: JsonObject,
  called: readonly string[],
  answer: JsonObject | undefined,
  caches: Caches,
): Tooling {
  const { tools: listed, tool_choice: choice } = request
  const all = Array.isArray(listed) ? listed.flatMap((tool: Json) => toolSpec(tool)) : []
  const own = fitted(all, caches, 'tools')
  const isNone = choice === 'none'
  if (isNone && called.length === 0 && answer === undefined) return { dropped: [], isForced: false }
  // Bedrock refuses calls in a conversation without tools; OpenAI does not.
  const known = own.length > 0 || called.length === 0 ? own : called.map((name) => spec(name, {}))
  const tools = answer === undefined ? known : [...known, answer]
  if (tools.length === 0) return { dropped: [], isForced: false }
  const toolChoice = answer === undefined ? chosen(choice) : forAnswer(own, choice)
  return {
    toolConfig: { tools, ...(toolChoice !== undefined && { toolChoice }) },
    dropped: isNone && own.length > 0 ? ['tool_choice'] : [],
    isForced: toolChoice !== undefined && toolChoice['auto'] === undefined,
  }
}

function toolSpec(tool: Json): readonly JsonObject[] {
  if (!isJsonObject(tool)) throw unsayable('every tool must be an object', 'tools')
  // Converse's own, such as `{systemTool: {name: 'nova_grounding'}}`.
  if (tool['type'] === undefined && (isJsonObject(tool['systemTool']) || isJsonObject(tool['toolSpec'])))
    return [tool]
  const { function: called } = tool
  const name = isJsonObject(called) ? textOf(called['name']) : undefined
  if (tool['type'] !== 'function' || !isJsonObject(called) || name === undefined)
    throw unsayable("every tool must be a function with a 'name': Bedrock has no others", 'tools')
  return [spec(name, called), ...cachePoint(tool['cache_control'] === undefined ? called : tool)]
}

function spec(name: string, { description, parameters, strict }: JsonObject): JsonObject {
  const json = isJsonObject(parameters) ? parameters : { type: 'object', properties: {} }
  return {
    toolSpec: {
      name,
      ...(typeof description === 'string' && description !== '' && { description }),
      inputSchema: { json: json['type'] === undefined ? { type: 'object', ...json } : json },
      ...(strict === true && { strict }),
    },
  }
}

function chosen(choice: Json | undefined): JsonObject | undefined {
  if (choice === undefined || choice === null || choice === 'none') return undefined
  if (choice === 'auto') return { auto: {} }
  if (choice === 'required') return { any: {} }
  const called = isJsonObject(choice) ? choice['function'] : undefined
  const name = isJsonObject(called) ? textOf(called['name']) : undefined
  if (name === undefined)
    throw unsayable("'tool_choice' must be auto, none, required or a function", 'tool_choice')
  return { tool: { name } }
}

/** With tools of the client's beside it, the model answers by whichever it takes. */
function forAnswer(own: readonly JsonObject[], choice: Json | undefined): JsonObject {
  if (isJsonObject(choice)) return chosen(choice) ?? { any: {} }
  return own.length > 0 && choice !== 'none' ? { any: {} } : { tool: { name: JSON_TOOL } }
}

/** The tool that an answer by this schema is given through. */
export function answerTool(schema: JsonObject): JsonObject {
  return spec(JSON_TOOL, {
    description: 'Give the whole answer as the input of this tool.',
    parameters: schema,
  })
}
