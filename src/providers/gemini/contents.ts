import { isJsonObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import type { ChatMessage } from '../../core/mode.ts'
import { textOf } from '../answer.ts'
import { earlierWords } from '../earlier-words.ts'
import { toParts, type Listener } from './parts.ts'
import { generationOf, unsayable } from './surface.ts'

/** A conversation in Gemini's words: what the model is told to be, and what was said. */
export interface Conversation {
  readonly systemInstruction?: JsonObject
  readonly contents: readonly JsonObject[]
}

/**
 * What stands in for the signature of a call that Gemini did not make itself, or whose signature a client lost; the
 * third generation refuses a call without one (https://ai.google.dev/gemini-api/docs/thought-signatures, "FAQs").
 */
const NO_SIGNATURE = 'skip_thought_signature_validator'

/** A tool call of an earlier message. */
interface EarlierCall {
  readonly name: string
  /** Its place among all calls. */
  readonly at: number
}

/**
 * OpenAI's messages as `systemInstruction` and `contents` (https://ai.google.dev/api/generate-content). The answers to
 * parallel calls are one content, in the order of the calls.
 * @throws GatewayError bad_request
 */
export function toConversation(messages: readonly ChatMessage[], listener: Listener): Conversation {
  const system: JsonObject[] = []
  const contents: JsonObject[] = []
  const calls = new Map<string, EarlierCall>()
  let answers: { readonly at: number; readonly part: JsonObject }[] = []
  const flush = (): void => {
    if (answers.length === 0) return
    const parts = answers.toSorted((one, other) => one.at - other.at).map(({ part }) => part)
    contents.push({ role: 'user', parts })
    answers = []
  }
  for (const [index, message] of messages.entries()) {
    const where = `messages[${index}]`
    if (message.role === 'tool' || message.role === 'function') {
      answers.push(toolAnswer(message, where, calls, listener))
      continue
    }
    flush()
    const words = message.role === 'assistant' ? earlierWords(message) : message.content
    const parts = toParts(words, `${where}.content`, listener)
    if (message.role === 'system' || message.role === 'developer') system.push(...parts)
    else if (message.role === 'assistant') {
      const said = [...signed(parts, message), ...images(message, where, listener)]
      const own = [...said, ...toCalls(message, where, calls, listener)]
      if (own.length > 0) contents.push({ role: 'model', parts: own })
    } else contents.push({ role: 'user', parts: parts.length > 0 ? parts : [{ text: ' ' }] })
  }
  flush()
  // Contents are a must: instructions alone are what the user says.
  if (contents.length === 0) return { contents: [{ role: 'user', parts: system }] }
  return { contents, ...(system.length > 0 && { systemInstruction: { parts: system } }) }
}

/** Google's place for it in OpenAI's words (https://ai.google.dev/gemini-api/docs/openai), and LiteLLM's. */
function signatureOf(holder: JsonObject): string | undefined {
  const extra = holder['extra_content']
  const google = isJsonObject(extra) ? extra['google'] : undefined
  const specific = holder['provider_specific_fields']
  return (
    (isJsonObject(google) ? textOf(google['thought_signature']) : undefined) ??
    (isJsonObject(specific) ? textOf(specific['thought_signature']) : undefined)
  )
}

/** A message's own signature belongs to the last of its texts. */
function signed(parts: readonly JsonObject[], message: ChatMessage): readonly JsonObject[] {
  const thoughtSignature = signatureOf(message)
  const last = parts.at(-1)
  return thoughtSignature === undefined || last === undefined
    ? parts
    : [...parts.slice(0, -1), { ...last, thoughtSignature }]
}

/** Images that the model made earlier. */
function images(message: ChatMessage, where: string, listener: Listener): readonly JsonObject[] {
  const listed = message['images']
  return Array.isArray(listed) ? toParts(listed, `${where}.images`, listener) : []
}

function toCalls(
  message: ChatMessage,
  where: string,
  calls: Map<string, EarlierCall>,
  { model }: Listener,
): readonly JsonObject[] {
  const listed = message['tool_calls']
  if (!Array.isArray(listed)) return []
  const written: readonly Json[] = listed
  const needsSignature = (generationOf(model) ?? 0) >= 3
  return written.map((call, index) => {
    const place = `${where}.tool_calls[${index}]`
    const called = isJsonObject(call) ? call['function'] : undefined
    if (!isJsonObject(call) || !isJsonObject(called) || typeof called['name'] !== 'string')
      throw unsayable(`'${place}' must be a call of a function with a name.`, place)
    const { name } = called
    const id = textOf(call['id'])
    if (id !== undefined) calls.set(id, { name, at: calls.size })
    const said = { name, args: argumentsOf(called['arguments'], place) }
    const functionCall = id === undefined ? said : { id, ...said }
    // Of parallel calls only the first is signed.
    const thoughtSignature = signatureOf(call) ?? (needsSignature && index === 0 ? NO_SIGNATURE : undefined)
    return thoughtSignature === undefined ? { functionCall } : { functionCall, thoughtSignature }
  })
}

function argumentsOf(written: Json | undefined, place: string): JsonObject {
  if (isJsonObject(written)) return written
  const text = textOf(written) ?? ''
  const parsed = text.trim() === '' ? {} : parseJson(text)
  if (isJsonObject(parsed)) return parsed
  throw unsayable(`'${place}.function.arguments' must be a JSON object.`, place)
}

function toolAnswer(
  message: ChatMessage,
  where: string,
  calls: ReadonlyMap<string, EarlierCall>,
  listener: Listener,
): { readonly at: number; readonly part: JsonObject } {
  const id = textOf(message['tool_call_id'])
  const call = id === undefined ? undefined : calls.get(id)
  const name = call?.name ?? textOf(message['name'])
  if (name === undefined)
    throw unsayable(`'${where}.tool_call_id' names no call of an earlier message.`, `${where}.tool_call_id`)
  const parts = toParts(message.content, `${where}.content`, listener)
  const text = parts.map((part) => textOf(part['text']) ?? '').join('')
  const files = parts.filter((part) => part['text'] === undefined)
  const parsed = parseJson(text)
  const part = {
    functionResponse: {
      ...(id !== undefined && { id }),
      name,
      // "output" is Google's key for what is no object (https://ai.google.dev/api/caching#FunctionResponse).
      response: isJsonObject(parsed) ? parsed : { output: text },
      ...(files.length > 0 && { parts: files }),
    },
  }
  return { at: call?.at ?? Number.MAX_SAFE_INTEGER, part }
}
