import { GatewayError } from '../core/failure.ts'
import { isJsonObject, parseJson } from '../core/json.ts'
import type { JsonObject } from '../core/json.ts'
import { createSseParser } from '../transport/sse.ts'
import type { StreamDecoder } from './adapter.ts'
import { eachOf } from './each-of.ts'

/** The events of a stream in OpenAI's words, one JSON object each; its last word, `[DONE]`, is none. */
export function openChatEvents(): StreamDecoder<JsonObject> {
  const parser = createSseParser()
  const read = ({ data }: { readonly data: string }): readonly JsonObject[] => {
    if (data === '' || data === '[DONE]') return []
    const event = parseJson(data)
    if (!isJsonObject(event))
      throw new GatewayError('wrong_shape', 'the stream holds an event that is no JSON object')
    return [event]
  }
  return {
    push: (bytes) => eachOf(parser.push(bytes), read),
    end: () => parser.end().flatMap(read),
  }
}
