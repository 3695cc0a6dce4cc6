import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import type { ChatChoice, ChatChunk, ChatResponse } from '../../core/mode.ts'
import type { WireResponse } from '../../transport/wire.ts'
import { createSseParser } from '../../transport/sse.ts'
import type { StreamDecoder, Target } from '../adapter.ts'
import { textOf } from '../answer.ts'
import { errorIn } from '../error-facts.ts'
import { decodeChat } from '../openai/chat.ts'
import { eachOf } from '../each-of.ts'

/** An answer of which the parts, where content came in parts, are one text and what was thought beside it. */
export function decodeMistralChat(response: WireResponse, target: Target): ChatResponse {
  const answer = decodeChat(response, target)
  return { ...answer, choices: answer.choices.map(plainChoice) }
}

function plainChoice(choice: ChatChoice): ChatChoice {
  return { ...choice, message: plain(choice.message), finish_reason: finishOf(choice.finish_reason) }
}

/** `model_length` is Mistral's word for a full context; `error` for one that gave up. */
function finishOf(reason: string | null): string | null {
  if (reason === 'error') throw new GatewayError('server_error', 'answered 200 with finish_reason error')
  return reason === 'model_length' ? 'length' : reason
}

/** A message or delta with text for content, and calls that say what they are. */
function plain(message: JsonObject): JsonObject {
  const { tool_calls: calls } = message
  const named = Array.isArray(calls) ? { ...message, tool_calls: calls.map(typed) } : message
  return withText(named)
}

/**
 * A call has no type there, which OpenAI's client insists on (https://github.com/BerriAI/litellm/issues/2645), and its
 * arguments may be an object (FunctionCall of https://docs.mistral.ai/api).
 */
function typed(call: Json): Json {
  if (!isJsonObject(call)) return call
  const called = call['function']
  const given = isJsonObject(called) ? called['arguments'] : undefined
  return {
    ...call,
    type: call['type'] ?? 'function',
    ...(isJsonObject(called) &&
      isJsonObject(given) && { function: { ...called, arguments: JSON.stringify(given) } }),
  }
}

function withText(message: JsonObject): JsonObject {
  const { content } = message
  if (!Array.isArray(content)) return message
  const parts = content.filter(isJsonObject)
  const text = parts.map((part) => textOf(part['text']) ?? '').join('')
  const thought = parts.map((part) => thoughtIn(part['thinking'])).join('')
  const { content: _, ...rest } = message
  return {
    ...rest,
    ...(text === '' && thought !== '' && !('role' in message) ? {} : { content: text }),
    ...(thought === '' ? {} : { reasoning_content: thought }),
  }
}

/** Thoughts are texts, or a list of them. */
function thoughtIn(thinking: Json | undefined): string {
  if (!Array.isArray(thinking)) return textOf(thinking) ?? ''
  return thinking.map((each: Json) => (isJsonObject(each) ? (textOf(each['text']) ?? '') : '')).join('')
}

/** Mistral's events are OpenAI's chunks, but for content in parts. */
export function openMistralStream(): StreamDecoder<ChatChunk> {
  const parser = createSseParser()
  let hasFinished = false
  const read = ({ data }: { readonly data: string }): readonly ChatChunk[] => {
    if (data === '[DONE]') {
      hasFinished = true
      return []
    }
    const event = parseJson(data)
    if (!isChunk(event)) throw noChunk(event)
    const chunk = plainChunk(event)
    hasFinished ||= chunk.choices.some(
      (choice) => isJsonObject(choice) && textOf(choice['finish_reason']) !== undefined,
    )
    return usageApart(chunk)
  }
  return {
    push: (bytes) => eachOf(parser.push(bytes), read),
    end: () => {
      const last = parser.end().flatMap(read)
      if (!hasFinished) throw new GatewayError('cut', 'the stream ended before its last event')
      return last
    },
  }
}

function isChunk(event: Json | undefined): event is ChatChunk & JsonObject {
  return isJsonObject(event) && Array.isArray(event['choices'])
}

function plainChunk(chunk: ChatChunk): ChatChunk {
  return {
    ...chunk,
    choices: chunk.choices.map((choice) => {
      if (!isJsonObject(choice) || !isJsonObject(choice['delta'])) return choice
      const reason = textOf(choice['finish_reason']) ?? null
      return { ...choice, delta: plain(numbered(choice['delta'])), finish_reason: finishOf(reason) }
    }),
  }
}

/** Calls come whole, and without a number where there is one. */
function numbered(delta: JsonObject): JsonObject {
  const { tool_calls: calls } = delta
  if (!Array.isArray(calls)) return delta
  const tool_calls = calls.map((call: Json, index) =>
    isJsonObject(call) && call['index'] === undefined ? Object.assign({ index }, call) : call,
  )
  return { ...delta, tool_calls }
}

/** The usage stands in the last event, beside its choice; OpenAI's has a chunk of its own, for who asks for it. */
function usageApart(chunk: ChatChunk): readonly ChatChunk[] {
  const { usage, ...rest } = chunk
  if (!isJsonObject(usage) || chunk.choices.length === 0) return [chunk]
  return [rest, { ...rest, choices: [], usage }]
}

function noChunk(event: Json | undefined): GatewayError {
  const facts = event === undefined ? undefined : errorIn(event)
  return facts === undefined
    ? new GatewayError('wrong_shape', 'the stream holds an event without choices')
    : new GatewayError('server_error', `the stream broke off with an error: ${facts.text}`)
}
