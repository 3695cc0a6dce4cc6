import { entryOf } from '../../core/entry-of.ts'
import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { ChatMessage } from '../../core/mode.ts'
import { textOf } from '../answer.ts'
import { earlierWords } from '../earlier-words.ts'

/**
 * One of OpenAI's messages in the second version's words: what was thought before calls is their `tool_plan`, before a
 * text a part of its own (https://docs.cohere.com/reference/chat, read 2026-11-27).
 * @throws GatewayError bad_request for parts that Cohere has no place for
 */
export function toMessage(message: ChatMessage): JsonObject {
  const { role, content } = message
  switch (role) {
    case 'assistant':
      return toAssistant(message)
    case 'tool':
      return { role, tool_call_id: message['tool_call_id'], content: partsOf(content, TEXTS) }
    case 'user':
      return { role, content: partsOf(content, TEXTS_AND_PICTURES) }
    default:
      return { role: role === 'developer' ? 'system' : role, content: partsOf(content, TEXTS) }
  }
}

function toAssistant(message: ChatMessage): JsonObject {
  const { role } = message
  const calls = message['tool_calls']
  const hasCalls = Array.isArray(calls) && calls.length > 0
  const thought = textOf(message['reasoning_content']) ?? ''
  const said = earlierWords(message)
  const parts = said === null || said === undefined || said === '' ? undefined : partsOf(said, TEXTS)
  if (hasCalls) {
    const words = parts === undefined ? {} : { content: parts }
    return { role, tool_calls: calls, ...(thought === '' ? {} : { tool_plan: thought }), ...words }
  }
  if (thought === '') return { role, content: parts ?? '' }
  const rest = typeof parts === 'string' ? [{ type: 'text', text: parts }] : (parts ?? [])
  return { role, content: [{ type: 'thinking', thinking: thought }, ...rest] }
}

const TEXTS: ReadonlySet<Json | undefined> = new Set(['text', 'document', 'thinking'])
const TEXTS_AND_PICTURES: ReadonlySet<Json | undefined> = new Set([...TEXTS, 'image_url'])

function partsOf(content: Json | undefined, known: ReadonlySet<Json | undefined>): string | readonly Json[] {
  if (!Array.isArray(content)) return textOf(content) ?? ''
  return content.map((part: Json) => {
    const type = isJsonObject(part) ? part['type'] : undefined
    if (isJsonObject(part) && known.has(type))
      return typeof part['image_url'] === 'string' ? toImage(part) : part
    throw unsayable(`Cohere has no place for a part of type '${textOf(type) ?? 'unknown'}' here`)
  })
}

/** Some clients write the bare URL. */
function toImage(part: JsonObject): JsonObject {
  return { ...part, image_url: { url: part['image_url'] } }
}

const V1_ROLES: Readonly<Record<string, string>> = {
  user: 'USER',
  assistant: 'CHATBOT',
  system: 'SYSTEM',
  developer: 'SYSTEM',
}

/** Version 1: the last message stands alone, the others are its history (https://docs.cohere.com/v1/reference/chat). */
export function toV1Words(messages: readonly ChatMessage[]): JsonObject {
  const last = messages.at(-1)
  const earlier = messages.slice(0, -1)
  const history = earlier.map((one) => ({
    role: entryOf(V1_ROLES, one.role) ?? 'USER',
    message: plainText(one),
  }))
  const message = last === undefined ? '' : plainText(last)
  return { message, ...(history.length === 0 ? {} : { chat_history: history }) }
}

function plainText(message: ChatMessage): string {
  const calls = message['tool_calls']
  if (message.role === 'tool' || (Array.isArray(calls) && calls.length > 0))
    throw unsayable(`tools are not translated for Cohere's first version: use an api_base that ends in /v2`)
  const content = earlierWords(message)
  if (!Array.isArray(content)) return textOf(content) ?? ''
  return content
    .map((part: Json) => {
      const text = isJsonObject(part) ? textOf(part['text']) : undefined
      if (text === undefined) throw unsayable("Cohere's first version takes nothing but text")
      return text
    })
    .join('')
}

function unsayable(why: string): GatewayError {
  return new GatewayError('bad_request', why, { param: 'messages', source: 'client' })
}
