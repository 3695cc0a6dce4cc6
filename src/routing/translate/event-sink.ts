import { asGatewayError } from '../../core/failure.ts'
import type { StreamDecoder } from '../../providers/adapter.ts'
import type { StreamSink } from '../road.ts'
import { ALIVE } from '../answer/event-watch.ts'
import type { Written } from './whole-answer.ts'

const DONE_TEXT = 'data: [DONE]\n\n'
const DONE = Buffer.from(DONE_TEXT)

/** How a provider's events become OpenAI's. */
export interface Events<Event> {
  readonly decoder: StreamDecoder<Event>
  readonly isWanted: (event: Event) => boolean
  /** Says that the stream is alive, and nothing else. */
  readonly isPing?: (event: Event) => boolean
  /** Events that come after the stream's own. Never rejects. */
  readonly lastly?: () => Promise<readonly Event[]>
}

/** Turns a provider's events into OpenAI's. */
export function eventSink<Event>(
  sink: StreamSink,
  { decoder, isWanted, isPing = () => false, lastly }: Events<Event>,
): StreamSink {
  const broken: Broken = (error) => sink.fail(asGatewayError(error))
  let isGood = false
  let hasEvents = false
  const write = (decoded: readonly Event[]): boolean => {
    const events = decoded.filter(isWanted)
    // Before the first event nothing is passed on: it can still be had elsewhere.
    if (events.length === 0) return hasEvents && decoded.some(isPing) ? sink.data(ALIVE) : true
    hasEvents = true
    return sink.data(Buffer.from(eventText(events)))
  }
  const finish = (more: readonly Event[]): void => {
    write(more)
    if (hasEvents) sink.data(DONE)
    sink.end()
  }
  return {
    head: (status, headers) => {
      isGood = status >= 200 && status < 300
      sink.head(status, headers)
    },
    data: (chunk) => {
      if (!isGood) return sink.data(chunk)
      // What it throws ends the exchange with the upstream, which tells it to `fail`.
      return write(decoder.push(chunk))
    },
    end: () => {
      if (!isGood) {
        sink.end()
        return
      }
      attempt(broken, () => {
        write(decoder.end())
        if (lastly === undefined) finish([])
        else void lastly().then((more) => attempt(broken, () => finish(more)))
      })
    },
    fail: (error) => broken(error),
  }
}

/** Events that were not streamed, as a stream. */
export function writtenEvents(events: readonly unknown[]): Written {
  return { type: 'text/event-stream', bytes: Buffer.from(eventText(events) + DONE_TEXT) }
}

function eventText(events: readonly unknown[]): string {
  return events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
}

/** Told why an answer could not be read. */
type Broken = (error: unknown) => void

/** What is thrown once the upstream is over ends this answer only. */
function attempt(broken: Broken, run: () => void): void {
  try {
    run()
  } catch (error) {
    broken(error)
  }
}
