import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'

/**
 * Members that a request of the Responses API has and that an operator may settle
 * (https://platform.openai.com/docs/api-reference/responses/create). Its body is strict, as all but a chat's are.
 */
const OWN: ReadonlySet<string> = new Set([
  'context_management',
  'include',
  'instructions',
  'max_output_tokens',
  'max_tool_calls',
  'metadata',
  'parallel_tool_calls',
  'prompt_cache_key',
  'prompt_cache_retention',
  'reasoning',
  'safety_identifier',
  'service_tier',
  'store',
  'temperature',
  'text',
  'tool_choice',
  'tools',
  'top_logprobs',
  'top_p',
  'truncation',
  'user',
])

/** A deployment's defaults in the words of the Responses API; what these lack is not for it. */
export function responsesDefaults(defaults: JsonObject): JsonObject {
  const own = Object.entries(defaults).filter(([name, value]) => OWN.has(name) && value !== null)
  const { max_tokens: most, max_completion_tokens: mostOfAll = most, reasoning_effort: effort } = defaults
  const text = textWords(defaults)
  const { tools, tool_choice: choice } = defaults
  return {
    ...(typeof mostOfAll === 'number' && { max_output_tokens: mostOfAll }),
    ...(typeof effort === 'string' && { reasoning: { effort } }),
    ...(Object.keys(text).length > 0 && { text }),
    ...Object.fromEntries(own),
    ...(Array.isArray(tools) && { tools: tools.map((tool: Json) => flat(tool)) }),
    ...(isJsonObject(choice) && { tool_choice: flat(choice) }),
  }
}

function textWords({ response_format: format, verbosity }: JsonObject): JsonObject {
  return {
    ...(isJsonObject(format) && { format: flat(format) }),
    ...(typeof verbosity === 'string' && { verbosity }),
  }
}

/** What a chat has below a name of its own stands beside the type there. */
function flat(value: Json): Json {
  if (!isJsonObject(value)) return value
  const { function: named, json_schema: schema, ...rest } = value
  const inner = isJsonObject(named) ? named : schema
  return isJsonObject(inner) ? { ...rest, ...inner } : value
}
