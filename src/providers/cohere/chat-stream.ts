import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import type { ChatChunk } from '../../core/mode.ts'
import { createSseParser } from '../../transport/sse.ts'
import type { StreamDecoder, Target } from '../adapter.ts'
import { textOf } from '../answer.ts'
import { errorIn } from '../error-facts.ts'
import { isV1 } from './address.ts'
import { citedIn, logprobsOf } from './citations.ts'
import { finishReason, usageOf } from './finish.ts'
import { createLineParser } from '../line-parser.ts'
import { eachOf } from '../each-of.ts'

/**
 * Cohere's stream as OpenAI's chunks. Version 2 sends server-sent events, one JSON object each with its
 * `type` inside (https://docs.cohere.com/reference/chat-stream); version 1 sends one JSON object a line.
 */
export function openCohereStream(target: Target): StreamDecoder<ChatChunk> {
  const texts = isV1(target, 'chat') ? createLineParser() : sseTexts()
  let id = ''
  let finished = false
  // Events count the parts of the message; OpenAI's clients count calls, from 0.
  const calls = new Map<Json | undefined, number>()
  const countCall: CountCall = (place) => {
    const number = calls.get(place) ?? calls.size
    calls.set(place, number)
    return number
  }
  const chunk = (choices: readonly JsonObject[], usage: { readonly usage?: JsonObject } = {}): ChatChunk => ({
    id,
    object: 'chat.completion.chunk',
    created: 0,
    model: target.model,
    choices,
    ...usage,
  })
  const read = (text: string): readonly ChatChunk[] => {
    const event = parseJson(text)
    if (!isJsonObject(event))
      throw new GatewayError('wrong_shape', 'the stream holds an event that is no JSON object')
    id = textOf(event['id']) ?? textOf(event['generation_id']) ?? id
    const kind = textOf(event['type']) ?? textOf(event['event_type']) ?? ''
    if (kind === 'message-end' || kind === 'stream-end') {
      finished = true
      return lastChunks(event, chunk)
    }
    const delta = deltaOf(kind, event, countCall)
    if (delta === undefined) throwIfError(kind, event)
    const logprobs = logprobsOf(event['logprobs'])
    return delta === undefined
      ? []
      : [chunk([{ index: 0, delta, ...(logprobs !== null && { logprobs }), finish_reason: null }])]
  }
  return {
    push: (bytes) => eachOf(texts.push(bytes), read),
    end: () => {
      const chunks = texts.end().flatMap(read)
      if (!finished) throw new GatewayError('cut', 'the stream ended before its last event')
      return chunks
    },
  }
}

/** Pushes bytes in, gets one JSON text an event out. */
interface TextParser {
  push(bytes: Uint8Array): readonly string[]
  end(): readonly string[]
}

function sseTexts(): TextParser {
  const parser = createSseParser()
  const texts = (events: readonly { readonly data: string }[]): readonly string[] =>
    events.map((event) => event.data).filter((data) => data !== '[DONE]')
  return { push: (bytes) => texts(parser.push(bytes)), end: () => texts(parser.end()) }
}

type MakeChunk = (choices: readonly JsonObject[], usage?: { readonly usage?: JsonObject }) => ChatChunk

/** The finish reason, then the usage in a chunk without choices, as OpenAI does with `include_usage`. */
function lastChunks(event: JsonObject, chunk: MakeChunk): readonly ChatChunk[] {
  const v2 = isJsonObject(event['delta']) ? event['delta'] : undefined
  const v1 = isJsonObject(event['response']) ? event['response'] : undefined
  const reason = textOf(v2?.['error'])
  if (reason !== undefined)
    throw new GatewayError('server_error', `the stream broke off with an error: ${reason}`)
  const finish = finishReason(v2?.['finish_reason'] ?? event['finish_reason'])
  const usage = usageOf(v2?.['usage'] ?? v1?.['meta'])
  const end = chunk([{ index: 0, delta: {}, finish_reason: finish ?? 'stop' }])
  return usage.usage === undefined ? [end] : [end, chunk([], usage)]
}

/** What an event adds to the message; undefined for events that say nothing to an OpenAI client. */
function deltaOf(kind: string, event: JsonObject, countCall: CountCall): JsonObject | undefined {
  const message = messageOf(event)
  switch (kind) {
    case 'message-start':
    case 'stream-start':
      return { role: 'assistant', content: '' }
    case 'text-generation':
      return { content: textOf(event['text']) ?? '' }
    case 'content-start':
    case 'content-delta':
      return contentDelta(message?.['content'])
    case 'tool-plan-delta':
      return { reasoning_content: textOf(message?.['tool_plan']) ?? '' }
    case 'tool-call-start':
    case 'tool-call-delta':
      return toolDelta(message?.['tool_calls'], countCall(event['index']))
    case 'citation-start':
      return citedIn(message?.['citations'])
    case 'citation-generation':
      return citedIn(event['citations'])
    default:
      return undefined
  }
}

/** The number of the call that stands at a place of the message. */
type CountCall = (place: Json | undefined) => number

function messageOf(event: JsonObject): JsonObject | undefined {
  const delta = event['delta']
  const message = isJsonObject(delta) ? delta['message'] : undefined
  return isJsonObject(message) ? message : undefined
}

/** The start of a part is mostly an empty text, of which there is nothing to tell. */
function contentDelta(content: Json | undefined): JsonObject | undefined {
  if (!isJsonObject(content)) return undefined
  const thinking = textOf(content['thinking']) ?? ''
  const text = textOf(content['text']) ?? ''
  if (thinking === '' && text === '') return undefined
  return thinking === '' ? { content: text } : { reasoning_content: thinking }
}

/** Cohere streams one call at a time, as an object; OpenAI as a list of one. */
function toolDelta(call: Json | undefined, index: number): JsonObject {
  return { tool_calls: isJsonObject(call) ? [{ index, ...call }] : [] }
}

function throwIfError(kind: string, event: JsonObject): void {
  const facts = errorIn(event)
  if (kind === 'error' || (kind === '' && facts !== undefined)) {
    throw new GatewayError(
      'server_error',
      `the stream broke off with an error: ${facts?.text ?? 'no reason given'}`,
    )
  }
}
