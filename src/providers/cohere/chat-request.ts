import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { ChatMessage, ChatRequest } from '../../core/mode.ts'
import type { Target } from '../adapter.ts'
import { withDefaults } from '../body-defaults.ts'
import type { CohereVersion } from './address.ts'

/** OpenAI's names that Cohere has under another name (https://docs.cohere.com/reference/chat). */
const RENAMES: Readonly<Record<string, string>> = {
  max_completion_tokens: 'max_tokens',
  stop: 'stop_sequences',
  top_p: 'p',
  top_k: 'k',
}

/** OpenAI's fields that mean nothing to Cohere and change no answer: left out. */
const MEANINGLESS = new Set([
  'stream_options',
  'user',
  'store',
  'metadata',
  'parallel_tool_calls',
  'service_tier',
])

/** OpenAI's chat request in Cohere's words. Fields that neither knows are carried. */
export function toCohereChat(request: ChatRequest, target: Target, version: CohereVersion): JsonObject {
  const filled = withDefaults('chat', request, target.bodyDefaults)
  const count = filled['n']
  if (typeof count === 'number' && count > 1) {
    throw new GatewayError('bad_request', 'Cohere gives one answer a request: n must be 1', {
      param: 'n',
      source: 'client',
    })
  }
  const options: Record<string, Json | undefined> = {}
  for (const [key, value] of Object.entries(filled)) {
    if (key === 'messages' || key === 'model' || key === 'n' || MEANINGLESS.has(key)) continue
    options[RENAMES[key] ?? key] = translated(key, value)
  }
  const words = version === 'v1' ? toV1Words(request.messages) : { messages: request.messages.map(toMessage) }
  return { ...options, ...words, model: target.model }
}

function translated(key: string, value: Json | undefined): Json | undefined {
  if (key === 'stop' && typeof value === 'string') return [value]
  if (key === 'tool_choice') return toolChoice(value)
  if (key === 'response_format') return responseFormat(value)
  return value
}

/** `auto` is Cohere's silence; a single named tool is as near as REQUIRED comes. */
function toolChoice(value: Json | undefined): Json | undefined {
  if (value === 'none') return 'NONE'
  return value === 'auto' || value === undefined ? undefined : 'REQUIRED'
}

function responseFormat(value: Json | undefined): Json | undefined {
  if (!isJsonObject(value) || value['type'] !== 'json_schema') return value
  const named = value['json_schema']
  const schema = isJsonObject(named) ? named['schema'] : undefined
  return { type: 'json_object', json_schema: schema }
}

function toMessage(message: ChatMessage): ChatMessage {
  return message.role === 'developer' ? { ...message, role: 'system' } : message
}

const V1_ROLES: Readonly<Record<string, string>> = {
  user: 'USER',
  assistant: 'CHATBOT',
  system: 'SYSTEM',
  developer: 'SYSTEM',
}

/** Version 1: the last message stands alone, the others are its history (https://docs.cohere.com/v1/reference/chat). */
function toV1Words(messages: readonly ChatMessage[]): JsonObject {
  const last = messages.at(-1)
  const earlier = messages.slice(0, -1)
  const history = earlier.map((one) => ({
    role: V1_ROLES[one.role] ?? 'USER',
    message: plainText(one.content),
  }))
  return { message: plainText(last?.content), ...(history.length === 0 ? {} : { chat_history: history }) }
}

function plainText(content: Json | undefined): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content
    .map((part: Json) => (isJsonObject(part) && typeof part['text'] === 'string' ? part['text'] : ''))
    .join('')
}
