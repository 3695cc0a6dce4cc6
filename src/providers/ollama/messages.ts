import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import type { ChatMessage } from '../../core/mode.ts'
import { textOf } from '../answer.ts'
import { earlierWords } from '../earlier-words.ts'

/**
 * OpenAI's messages in Ollama's words: one text each, pictures beside it in base64, the arguments of calls as objects,
 * and results that name their tool (https://docs.ollama.com/api/chat, read 2026-11-27).
 * @throws GatewayError bad_request for parts that Ollama has no place for
 */
export function toOllamaMessages(messages: readonly ChatMessage[]): readonly JsonObject[] {
  const toolNames = new Map<string, string>()
  return messages.map((message) => {
    const calls = Array.isArray(message['tool_calls']) ? message['tool_calls'].map(callIn) : []
    for (const call of calls) if (call.id !== undefined) toolNames.set(call.id, call.function.name)
    return toOllamaMessage(message, calls, toolNames)
  })
}

/** A call that OpenAI's clients send back. */
interface Call {
  readonly id?: string
  readonly function: { readonly name: string; readonly arguments?: Json }
}

/** @throws GatewayError bad_request for what is no call of a function */
function callIn(call: unknown): Call {
  if (isCall(call)) return call
  throw unsayable("Ollama knows no calls but of functions: every one of 'tool_calls' needs a 'function'")
}

function isCall(call: unknown): call is Call {
  if (!isJsonObject(call)) return false
  const called = call['function']
  return isJsonObject(called) && typeof called['name'] === 'string'
}

function toOllamaMessage(
  message: ChatMessage,
  calls: readonly Call[],
  toolNames: ReadonlyMap<string, string>,
): JsonObject {
  const { role } = message
  const { text, images } = partsOf(earlierWords(message))
  const id = textOf(message['tool_call_id'])
  const toolName = role === 'tool' ? (textOf(message['name']) ?? toolNames.get(id ?? '')) : undefined
  const thinking = textOf(message['reasoning_content'])
  return {
    role: role === 'developer' ? 'system' : role,
    content: text,
    ...(images.length === 0 ? {} : { images }),
    ...(thinking === undefined ? {} : { thinking }),
    ...(calls.length === 0 ? {} : { tool_calls: calls.map(toOllamaCall) }),
    ...(toolName === undefined ? {} : { tool_name: toolName }),
    ...(role === 'tool' && id !== undefined ? { tool_call_id: id } : {}),
  }
}

function toOllamaCall({ id, function: called }: Call): JsonObject {
  return {
    ...(id === undefined ? {} : { id }),
    function: { name: called.name, arguments: argumentsOf(called) },
  }
}

/** @throws GatewayError bad_request for what is no JSON object: a call is told as it was, or not at all */
function argumentsOf({ name, arguments: given = '' }: Call['function']): JsonObject {
  if (given === null || (typeof given === 'string' && given.trim() === '')) return {}
  const parsed = typeof given === 'string' ? parseJson(given) : given
  if (isJsonObject(parsed)) return parsed
  throw unsayable(`the arguments of the call of "${name.slice(0, 64)}" are no JSON object`)
}

/** The text of a message's parts, and its pictures in base64. */
function partsOf(content: Json | undefined): { readonly text: string; readonly images: readonly string[] } {
  if (typeof content === 'string') return { text: content, images: [] }
  const parts = Array.isArray(content) ? content.filter(isJsonObject) : []
  const images = parts.filter((part) => part['type'] === 'image_url').map(imageOf)
  const texts = parts.filter((part) => part['type'] !== 'image_url').map(textIn)
  return { text: texts.join('\n'), images }
}

function textIn(part: JsonObject): string {
  const { text } = part
  if (typeof text === 'string') return text
  throw unsayable(`Ollama takes texts and pictures, no part of type '${textOf(part['type']) ?? 'unknown'}'`)
}

function imageOf(part: JsonObject): string {
  const image = part['image_url']
  const url = textOf(isJsonObject(image) ? image['url'] : image) ?? ''
  const data = /^data:[^,]*;base64,(.*)$/s.exec(url)?.[1]
  if (data === undefined) throw unsayable('Ollama takes pictures as base64 data only')
  return data
}

function unsayable(why: string): GatewayError {
  return new GatewayError('bad_request', why, { param: 'messages', source: 'client' })
}
