import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { ChatMessage, ChatRequest } from '../../core/mode.ts'
import type { Target } from '../adapter.ts'
import { withDefaults } from '../body-defaults.ts'
import { earlierWords } from '../earlier-words.ts'
import { isDeployment } from './address.ts'

/** A body, and the members of the request that are not in it although they would change the answer. */
export interface Said {
  readonly body: JsonObject
  readonly dropped: readonly string[]
}

/** What changes no answer, or is said by the path. */
const MEANINGLESS: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'stream',
  'stream_options',
  'user',
  'store',
  'metadata',
  'service_tier',
  'prompt_cache_key',
  'prompt_cache_retention',
  'safety_identifier',
  'project_id',
  'space_id',
])

/** OpenAI's members that watsonx has no word for. Members that neither documents are carried. */
const UNSAID: ReadonlySet<string> = new Set([
  'audio',
  'function_call',
  'functions',
  'modalities',
  'prediction',
  'thinking',
  'verbosity',
  'web_search_options',
])

/** OpenAI's efforts in watsonx's words; it knows three. */
const EFFORTS: Readonly<Record<string, string>> = {
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
}

/** OpenAI's chat request in watsonx's words (https://cloud.ibm.com/apidocs/watsonx-ai#text-chat, read 2026-11-27). */
export function toWatsonxChat(request: ChatRequest, target: Target): Said {
  const dropped: string[] = []
  const options: Record<string, Json | undefined> = {}
  for (const [name, value] of Object.entries(withDefaults('chat', request, target.bodyDefaults))) {
    if (MEANINGLESS.has(name) || value === null || value === undefined) continue
    if (UNSAID.has(name)) dropped.push(name)
    else Object.assign(options, option(name, value, dropped))
  }
  const messages = request.messages.map(toMessage)
  return { body: { ...options, messages, ...whose(target) }, dropped }
}

/** Model and project, which the path of a deployed model says. */
export function whose(target: Target): JsonObject {
  if (isDeployment(target)) return {}
  const { project_id: project, space_id: space } = target.bodyDefaults
  return {
    model_id: target.model,
    ...(project === undefined ? { space_id: space } : { project_id: project }),
  }
}

function option(name: string, value: Json, dropped: string[]): JsonObject {
  switch (name) {
    case 'stop':
      return { stop: typeof value === 'string' ? [value] : value }
    case 'tool_choice':
      return typeof value === 'string' ? { tool_choice_option: value } : { tool_choice: value }
    case 'tools':
      return { tools: Array.isArray(value) ? value.map((tool: Json) => toTool(tool, dropped)) : value }
    case 'parallel_tool_calls':
      if (value !== true) dropped.push(name)
      return {}
    case 'reasoning_effort': {
      const effort = typeof value === 'string' ? EFFORTS[value] : undefined
      if (effort === undefined) dropped.push(name)
      return effort === undefined ? {} : { reasoning_effort: effort }
    }
    default:
      return { [name]: value }
  }
}

/** A function has a name, a description and parameters there; nothing makes it strict. */
function toTool(tool: Json, dropped: string[]): Json {
  const named = isJsonObject(tool) ? tool['function'] : undefined
  if (!isJsonObject(tool) || !isJsonObject(named) || named['strict'] === undefined) return tool
  const { strict, ...rest } = named
  if (strict === true && !dropped.includes('tools.function.strict')) dropped.push('tools.function.strict')
  return { ...tool, function: rest }
}

/** Only users' messages may hold parts; what others say in texts is one text. */
function toMessage(message: ChatMessage): JsonObject {
  const role = message.role === 'developer' ? 'system' : message.role
  const { refusal: _, audio: __, ...rest } = message
  const content = earlierWords(message)
  if (!Array.isArray(content)) return { ...rest, ...(content !== undefined && { content }), role }
  if (role !== 'user') return { ...rest, role, content: content.map(textOfPart).join('') }
  for (const part of content) {
    const type: Json | undefined = isJsonObject(part) ? part['type'] : undefined
    if (type === 'file') throw cannot('a file')
  }
  return { ...rest, role }
}

function textOfPart(part: Json): string {
  if (isJsonObject(part) && typeof part['text'] === 'string') return part['text']
  throw cannot('anything but text in a message that is not the user’s')
}

function cannot(what: string): GatewayError {
  return new GatewayError('bad_request', `watsonx cannot be given ${what}`, {
    param: 'messages',
    source: 'client',
  })
}
