import { attempt } from '../../core/attempt.ts'
import { asGatewayError } from '../../core/failure.ts'
import type { StreamDecoder } from '../../providers/adapter.ts'
import type { EventJson } from '../request/operation.ts'
import type { StreamSink } from '../road.ts'
import { ALIVE } from '../answer/event-watch.ts'
import { createAlike } from './alike.ts'
import type { Written } from './whole-answer.ts'

const DONE_TEXT = 'data: [DONE]\n\n'
const DONE = Buffer.from(DONE_TEXT)

const AS_IS: EventJson<unknown> = { json: (event) => JSON.stringify(event) }

/** How a provider's events become OpenAI's. */
export interface Events<Event> {
  readonly decoder: StreamDecoder<Event>
  readonly isWanted: (event: Event) => boolean
  /** Says that the stream is alive, and nothing else. */
  readonly isPing?: (event: Event) => boolean
  /** How an event is written; default: as it is. */
  readonly writer?: EventJson<Event> | undefined
  /** Events that come after the stream's own. Never rejects. */
  readonly lastly?: () => Promise<readonly Event[]>
}

/** Turns a provider's events into OpenAI's. */
export function eventSink<Event>(
  sink: StreamSink,
  { decoder, isWanted, isPing = () => false, writer = AS_IS, lastly }: Events<Event>,
): StreamSink {
  const broken = (error: unknown): void => sink.fail(asGatewayError(error))
  let isGood = false
  let hasEvents = false
  const { passed } = decoder
  const alike = passed === undefined ? undefined : createAlike(passed)
  const textOf = (decoded: readonly Event[]): string => {
    let text = ''
    for (const event of decoded) if (isWanted(event)) text += eventText(writer.json(event))
    return text
  }
  const write = (decoded: readonly Event[], text: string): boolean => {
    // Before the first event nothing is passed on: it can still be had elsewhere.
    if (text === '') return hasEvents && decoded.some(isPing) ? sink.data(ALIVE) : true
    hasEvents = true
    return sink.data(Buffer.from(text))
  }
  const finish = (more: readonly Event[]): void => {
    write(more, textOf(more))
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
      const known = alike?.written(chunk)
      if (known !== undefined) return sink.data(known)
      const decoded = decoder.push(chunk)
      const text = textOf(decoded)
      const [only] = decoded
      alike?.read(chunk, decoded.length === 1 && only !== undefined ? writer.text?.(only) : undefined, text)
      return write(decoded, text)
    },
    end: () => {
      if (!isGood) {
        sink.end()
        return
      }
      // What is thrown once the upstream is over ends this answer only.
      attempt(() => {
        const last = decoder.end()
        write(last, textOf(last))
        if (lastly === undefined) finish([])
        else void lastly().then((more) => attempt(() => finish(more), broken))
      }, broken)
    },
    fail: (error) => broken(error),
  }
}

/** Events that were not streamed, as a stream. */
export function writtenEvents(events: readonly unknown[]): Written {
  const text = events.map((event) => eventText(JSON.stringify(event))).join('')
  return { type: 'text/event-stream', bytes: Buffer.from(text + DONE_TEXT) }
}

function eventText(json: string): string {
  return `data: ${json}\n\n`
}
