import { entryOf } from '../../core/entry-of.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { textOf } from '../answer.ts'
import { unsayable } from './content.ts'

/** What a request says of tools, in Anthropic's words. */
export interface ToolWords {
  readonly tools?: readonly JsonObject[]
  readonly tool_choice?: JsonObject
}

/** Anthropic's search of the web (https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool). */
const WEB_SEARCH = { type: 'web_search_20250305', name: 'web_search' } as const

/**
 * OpenAI's `tools`, `tool_choice`, `parallel_tool_calls` and `web_search_options`.
 * @throws GatewayError bad_request (the client's doing)
 */
export function toToolWords(request: JsonObject): ToolWords {
  const given = request['tools']
  const search = request['web_search_options']
  const tools = [
    ...(Array.isArray(given) ? given.map((tool: Json) => toTool(tool)) : []),
    ...(isJsonObject(search) ? [searchOf(search)] : []),
  ]
  if (tools.length === 0) return {}
  const choice = toChoice(request['tool_choice'])
  const isSingle = request['parallel_tool_calls'] === false && choice?.['type'] !== 'none'
  if (isSingle)
    return { tools, tool_choice: { ...(choice ?? { type: 'auto' }), disable_parallel_tool_use: true } }
  return { tools, ...(choice !== undefined && { tool_choice: choice }) }
}

/** True where the answer must begin with a call. */
export function isForced({ tool_choice: choice }: ToolWords): boolean {
  return choice?.['type'] === 'any' || choice?.['type'] === 'tool'
}

/** Tools of other types are Anthropic's own and are carried. */
function toTool(tool: Json): JsonObject {
  if (!isJsonObject(tool)) throw unsayable('every tool must be an object', 'tools')
  if (isJsonObject(tool['custom']))
    throw unsayable('Claude has no tools of free text: give "function" tools', 'tools')
  const named = tool['function']
  if (!isJsonObject(named)) return tool
  const { name, description, parameters, strict, ...more } = named
  if (typeof name !== 'string') throw unsayable('every function needs a "name"', 'tools')
  const mark = tool['cache_control']
  return {
    name,
    ...(typeof description === 'string' && { description }),
    input_schema: isJsonObject(parameters)
      ? { type: 'object', ...parameters }
      : { type: 'object', properties: {} },
    ...(strict === true && { strict }),
    ...more,
    ...(mark !== undefined && { cache_control: mark }),
  }
}

function searchOf(options: JsonObject): JsonObject {
  const place = options['user_location']
  const where = isJsonObject(place) ? place['approximate'] : undefined
  return isJsonObject(where)
    ? { ...WEB_SEARCH, user_location: { type: 'approximate', ...where } }
    : WEB_SEARCH
}

const CHOICES: Readonly<Record<string, string>> = { auto: 'auto', none: 'none', required: 'any' }

function toChoice(choice: Json | undefined): JsonObject | undefined {
  if (choice === undefined || choice === null) return undefined
  const type = typeof choice === 'string' ? entryOf(CHOICES, choice) : undefined
  if (type !== undefined) return { type }
  if (!isJsonObject(choice)) throw unsayable('Claude knows no such "tool_choice"', 'tool_choice')
  const named = choice['function']
  const name = isJsonObject(named) ? textOf(named['name']) : undefined
  if (name !== undefined) return { type: 'tool', name }
  if (choice['type'] === 'allowed_tools')
    throw unsayable('Claude cannot be held to some of the tools: give only those', 'tool_choice')
  return choice
}
