import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import { createSseParser } from '../../transport/sse.ts'
import type { StreamDecoder } from '../adapter.ts'
import { errorIn } from '../error-facts.ts'
import { eachOf } from '../each-of.ts'

/**
 * Fill-in-the-middle servers answer a completion as if it were a chat: its words stand in a message, or in a
 * streamed event in a delta (https://docs.mistral.ai/capabilities/code_generation). Clients of `/completions` look
 * for `text`.
 */
export function asTextCompletion(body: JsonObject): JsonObject {
  const { choices } = body
  if (!Array.isArray(choices)) return body
  return { ...body, object: 'text_completion', choices: choices.map(asTextChoice) }
}

function asTextChoice(choice: Json): Json {
  if (!isJsonObject(choice)) return choice
  const { message, delta, ...rest } = choice
  const said = isJsonObject(message) ? message : delta
  if (!isJsonObject(said)) return choice
  const text = said['content']
  return { ...rest, ...(typeof text === 'string' && { text }), logprobs: null }
}

/** Such a server's events, as those of a completion. */
export function openMessageStream(): StreamDecoder<JsonObject> {
  const parser = createSseParser()
  let hasFinished = false
  const read = ({ data }: { readonly data: string }): readonly JsonObject[] => {
    if (data === '[DONE]') {
      hasFinished = true
      return []
    }
    const event = parseJson(data)
    if (!isJsonObject(event) || !Array.isArray(event['choices'])) throw noChunk(event)
    const { choices } = event
    hasFinished ||= choices.some(
      (choice) => isJsonObject(choice) && typeof choice['finish_reason'] === 'string',
    )
    return [asTextCompletion(event)]
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

function noChunk(event: Json | undefined): GatewayError {
  const facts = event === undefined ? undefined : errorIn(event)
  return facts === undefined
    ? new GatewayError('wrong_shape', 'the stream holds an event without choices')
    : new GatewayError('server_error', `the stream broke off with an error: ${facts.text}`)
}
