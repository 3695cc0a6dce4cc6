import type { Json, JsonObject } from '../core/json.ts'
import { isJsonObject } from '../core/json.ts'
import type { Call } from './call.ts'

/** What every call of a tool here is made with. */
export const TOOL_ARGUMENTS = '{"city":"Paris"}'

/**
 * The functions that a model must call: all that are offered where a call is required (one where calls may not be
 * parallel), or the one that is named. Empty: it may answer in words.
 */
export function calledTools({ json = {} }: Pick<Call, 'json'>): readonly string[] {
  const { tools, tool_choice: choice, parallel_tool_calls: isParallel } = json
  const named = functionName(choice)
  if (named !== undefined) return [named]
  if (choice !== 'required' || !Array.isArray(tools)) return []
  const offered = tools.flatMap((tool: Json) => functionName(tool) ?? [])
  return isParallel === false ? offered.slice(0, 1) : offered
}

/** Nested in a chat, flat in a response. */
function functionName(value: Json | undefined): string | undefined {
  if (!isJsonObject(value) || value['type'] !== 'function') return undefined
  const inner = value['function']
  const name = isJsonObject(inner) ? inner['name'] : value['name']
  return typeof name === 'string' ? name : undefined
}

/** A chat's calls, whole. */
export function chatCalls(names: readonly string[]): readonly JsonObject[] {
  return names.map((name, at) => ({
    id: `call_${at}`,
    type: 'function',
    function: { name, arguments: TOOL_ARGUMENTS },
  }))
}

/** The deltas of a streamed chat's calls: the name first, then the arguments in two pieces. */
export function chatCallDeltas(names: readonly string[]): readonly JsonObject[] {
  const half = TOOL_ARGUMENTS.length >> 1
  return names.flatMap((name, index) => [
    { tool_calls: [{ index, id: `call_${index}`, type: 'function', function: { name, arguments: '' } }] },
    { tool_calls: [{ index, function: { arguments: TOOL_ARGUMENTS.slice(0, half) } }] },
    { tool_calls: [{ index, function: { arguments: TOOL_ARGUMENTS.slice(half) } }] },
  ])
}
