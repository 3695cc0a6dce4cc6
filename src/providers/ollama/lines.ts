import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type JsonObject, parseJson } from '../../core/json.ts'
import type { StreamDecoder } from '../adapter.ts'
import { errorIn } from '../error-facts.ts'
import { createLineParser } from '../line-parser.ts'
import { eachOf } from '../each-of.ts'

/**
 * A decoder of Ollama's streams: one JSON object a line, the last one `done`
 * (https://docs.ollama.com/api/streaming, read 2026-11-27). An error may follow good lines.
 */
export function openLines<Event>(read: (body: JsonObject) => readonly Event[]): StreamDecoder<Event> {
  const parser = createLineParser()
  let isDone = false
  const readLine = (line: string): readonly Event[] => {
    const body = parseJson(line)
    if (!isJsonObject(body))
      throw new GatewayError('wrong_shape', 'the stream holds a line that is no JSON object')
    if (body['error'] !== undefined) {
      const text = errorIn(body)?.text ?? 'no reason given'
      throw new GatewayError('server_error', `the stream broke off with an error: ${text}`)
    }
    isDone ||= body['done'] === true
    return read(body)
  }
  return {
    push: (bytes) => eachOf(parser.push(bytes), readLine),
    end: () => {
      const last = parser.end().flatMap(readLine)
      if (!isDone) throw new GatewayError('cut', 'the stream ended before its last line')
      return last
    },
  }
}
