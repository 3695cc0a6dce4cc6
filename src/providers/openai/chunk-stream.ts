import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import type { ChatChunk } from '../../core/mode.ts'
import { createSseParser } from '../../transport/sse.ts'
import type { StreamDecoder, Target } from '../adapter.ts'
import { numberOf, textOf } from '../answer.ts'
import { errorIn } from '../error-facts.ts'
import { eachOf } from '../each-of.ts'

/** What differs from OpenAI's chunks in a stream of almost the same. */
export interface ChunkHabits {
  /** A choice in OpenAI's words. */
  choice(choice: JsonObject): JsonObject
  /** Members of an event that mean nothing to OpenAI's clients. */
  readonly without?: readonly string[]
}

/**
 * The stream of a server that sends OpenAI's chunks with habits of its own. Usage may stand in every event there; it is
 * told once, last, in a chunk without choices. `[DONE]` may be missing: a finish reason ends the stream too.
 */
export function openChunkStream(target: Target, habits: ChunkHabits): StreamDecoder<ChatChunk> {
  const parser = createSseParser()
  const without = new Set([...(habits.without ?? []), 'usage', 'choices'])
  let head: ChatChunk = {
    id: '',
    object: 'chat.completion.chunk',
    created: 0,
    model: target.model,
    choices: [],
  }
  let usage: JsonObject | undefined
  let hasFinished = false
  const read = ({ data }: { readonly data: string }): readonly ChatChunk[] => {
    if (data === '[DONE]') {
      hasFinished = true
      return []
    }
    const event = parseJson(data)
    const listed = isJsonObject(event) ? event['choices'] : undefined
    if (!isJsonObject(event) || !Array.isArray(listed)) throw noChunk(event)
    const choices = listed.filter(isJsonObject).map((one) => habits.choice(one))
    hasFinished ||= choices.some((choice) => typeof choice['finish_reason'] === 'string')
    if (isJsonObject(event['usage'])) usage = event['usage']
    const more = Object.entries(event).filter(([name]) => !without.has(name))
    head = {
      ...Object.fromEntries(more),
      id: textOf(event['id']) ?? head.id,
      object: 'chat.completion.chunk',
      created: numberOf(event['created']) ?? head.created,
      model: textOf(event['model']) ?? head.model,
      choices,
    }
    return choices.length === 0 ? [] : [head]
  }
  return {
    push: (bytes) => eachOf(parser.push(bytes), read),
    end: () => {
      const last = parser.end().flatMap(read)
      if (!hasFinished) throw new GatewayError('cut', 'the stream ended before its last event')
      return usage === undefined ? last : [...last, { ...head, choices: [], usage }]
    },
  }
}

function noChunk(event: Json | undefined): GatewayError {
  const facts = event === undefined ? undefined : errorIn(event)
  return facts === undefined
    ? new GatewayError('wrong_shape', 'the stream holds an event without choices')
    : new GatewayError('server_error', `the stream broke off with an error: ${facts.text}`)
}
