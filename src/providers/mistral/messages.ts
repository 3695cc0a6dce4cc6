import { createHash } from 'node:crypto'
import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { ChatMessage } from '../../core/mode.ts'
import { textOf } from '../answer.ts'
import { earlierWords } from '../earlier-words.ts'

/** What Mistral's messages have, role by role; it refuses any other member (https://docs.mistral.ai/api). */
const MEMBERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['system', ['content']],
  ['user', ['content']],
  ['assistant', ['content', 'tool_calls', 'prefix']],
  ['tool', ['content', 'tool_call_id', 'name']],
])

/** One of OpenAI's messages as Mistral takes it; `reasons` says whether its model is told what it thought before. */
export function toMistralMessage(message: ChatMessage, reasons: boolean): JsonObject {
  const role = message.role === 'developer' ? 'system' : message.role
  const kept = Object.entries(message).filter(([name]) => MEMBERS.get(role)?.includes(name) ?? true)
  const whole: JsonObject = { ...Object.fromEntries(kept), role, content: contentOf(message, reasons) }
  const { tool_calls: calls, tool_call_id: id } = whole
  return {
    ...whole,
    ...(Array.isArray(calls) ? { tool_calls: calls.map(toMistralCall) } : {}),
    ...(typeof id === 'string' ? { tool_call_id: shortId(id) } : {}),
  }
}

function contentOf(message: ChatMessage, reasons: boolean): Json {
  const said = earlierWords(message) ?? null
  const parts = Array.isArray(said) ? said.map(toMistralPart) : said
  const thought = textOf(message['reasoning_content']) ?? ''
  if (!reasons || thought === '') return parts
  const texts = typeof parts === 'string' && parts !== '' ? [{ type: 'text', text: parts }] : []
  return [
    { type: 'thinking', thinking: [{ type: 'text', text: thought }] },
    ...(Array.isArray(parts) ? parts : texts),
  ]
}

/** Documents and sound have other names there (https://docs.mistral.ai/capabilities/document_ai, …/audio). */
function toMistralPart(part: Json): Json {
  if (!isJsonObject(part)) return part
  const { file, input_audio: sound } = part
  if (part['type'] === 'input_audio' && isJsonObject(sound))
    return { type: 'input_audio', input_audio: sound['data'] }
  if (part['type'] !== 'file' || !isJsonObject(file)) return part
  const data = file['file_data']
  const name = file['filename']
  if (data === undefined) return { type: 'file', file_id: file['file_id'] }
  return { type: 'document_url', document_url: data, ...(name === undefined ? {} : { document_name: name }) }
}

function toMistralCall(call: Json): Json {
  if (!isJsonObject(call)) return call
  const { id, type, function: called } = call
  if (!isJsonObject(called)) throw noFunction()
  return {
    ...(typeof id === 'string' ? { id: shortId(id) } : {}),
    type: type ?? 'function',
    function: called,
  }
}

function noFunction(): GatewayError {
  return new GatewayError(
    'bad_request',
    "Mistral knows no calls but of functions: every one of 'tool_calls' needs a 'function'",
    {
      param: 'messages',
      source: 'client',
    },
  )
}

/** Mistral takes ids of nine letters and digits; another provider's becomes one, always the same. */
function shortId(id: string): string {
  if (/^[A-Za-z0-9]{9}$/.test(id)) return id
  return createHash('sha256').update(id).digest('hex').slice(0, 9)
}
