import { entryOf } from '../../core/entry-of.ts'
import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { ChatMessage, ChatRequest } from '../../core/mode.ts'
import type { Target } from '../adapter.ts'
import { withDefaults } from '../body-defaults.ts'
import { earlierWords } from '../earlier-words.ts'
import { CHANGES_NOTHING, missed } from '../unsaid.ts'
import { unmarked, unmarkedTool, untold } from '../untold.ts'
import { isDeployment } from './address.ts'

/** A body, and the members of the request that are not in it although they would change the answer. */
export interface Said {
  readonly body: JsonObject
  readonly dropped: readonly string[]
}

/** OpenAI's members that change an answer and that watsonx has no word for. Members that neither documents are carried. */
const LACKS: readonly string[] = [
  'audio',
  'function_call',
  'functions',
  'modalities',
  'moderation',
  'parallel_tool_calls',
  'thinking',
  'verbosity',
  'web_search_options',
]

/** What is said elsewhere, changes no answer, or is said by the path. */
const NOT_CARRIED: ReadonlySet<string> = new Set([
  ...CHANGES_NOTHING,
  ...LACKS,
  'messages',
  'model',
  'project_id',
  'space_id',
  'stream',
])

/** What it is told below the top level: nothing makes a function strict. */
const TOLD: ReadonlySet<string> = new Set([
  'messages[].content[].image_url.detail',
  'messages[].name',
  'tools',
])

/** OpenAI's efforts in watsonx's words; it knows three. */
const EFFORTS: Readonly<Record<string, string>> = {
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
}

/** OpenAI's chat request in watsonx's words (https://cloud.ibm.com/apidocs/watsonx-ai#text-chat, read 2026-11-27). */
export function toWatsonxChat(request: ChatRequest, target: Target): Said {
  const filled = withDefaults('chat', request, target.bodyDefaults)
  const dropped = [...missed(filled, LACKS)]
  const options = Object.entries(filled).flatMap(([name, value]) =>
    NOT_CARRIED.has(name) || value === null || value === undefined
      ? []
      : Object.entries(option(name, value, dropped)),
  )
  const messages = request.messages.map(unmarked).map(toMessage)
  dropped.push(...untold({ ...filled, messages: request.messages }, TOLD))
  return { body: { ...Object.fromEntries(options), messages, ...whose(target) }, dropped }
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
      return { tools: Array.isArray(value) ? value.map((tool: Json) => toTool(unmarkedTool(tool))) : value }
    case 'reasoning_effort': {
      const effort = typeof value === 'string' ? entryOf(EFFORTS, value) : undefined
      if (effort === undefined) dropped.push(name)
      return effort === undefined ? {} : { reasoning_effort: effort }
    }
    default:
      return { [name]: value }
  }
}

/** A function has a name, a description and parameters there. */
function toTool(tool: Json): Json {
  const named = isJsonObject(tool) ? tool['function'] : undefined
  if (!isJsonObject(tool) || !isJsonObject(named)) return tool
  const { strict: _, ...rest } = named
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
