import { asGatewayError } from '../core/failure.ts'
import type { StreamSink } from '../transport/wire.ts'
import type { FrameReader } from './surface-face.ts'

/** Who says so sends no frames: an error in disguise, which is judged as it is. */
const UNFRAMED = /json|text/i

/** Gives `sink` an answer's frames as an event stream; refusals, and what is no frames, pass as they come. */
export function unframed(sink: StreamSink, open: () => FrameReader): StreamSink {
  let reader: FrameReader | undefined
  return {
    head: (status, headers) => {
      const isFramed = status >= 200 && status < 300 && !UNFRAMED.test(headers['content-type'] ?? '')
      if (isFramed) reader = open()
      sink.head(status, isFramed ? { ...headers, 'content-type': 'text/event-stream' } : headers)
    },
    data: (chunk) => {
      if (reader === undefined) return sink.data(chunk)
      // What it throws ends the exchange with the upstream, which tells it to `fail`.
      const ready = reader.push(chunk)
      return ready.length === 0 || sink.data(ready)
    },
    end: () => {
      try {
        reader?.end()
      } catch (error) {
        sink.fail(asGatewayError(error))
        return
      }
      sink.end()
    },
    fail: (error) => sink.fail(error),
  }
}
