import { GatewayError } from '../core/failure.ts'

/** One server-sent event. */
export interface SseEvent {
  /** The `event:` field; empty where none was sent. */
  readonly name: string
  /** The `data:` lines, joined by line feeds. */
  readonly data: string
}

/** A push parser: bytes in any split → events. */
export interface SseParser {
  /** @throws GatewayError wrong_shape where a single event grows past the limit */
  push(bytes: Uint8Array): readonly SseEvent[]
  /** The event that the stream ended in the middle of is dropped, as the standard says. */
  end(): readonly SseEvent[]
}

/** Largest single event, in characters: an image inside a chunk is a few megabytes. */
const MAX_EVENT_CHARS = 32 * 1024 * 1024

/**
 * Parses `text/event-stream` as the HTML standard §9.2.6 does: line ends CR, LF and CRLF, a leading byte
 * order mark, comments, one optional space after the colon. `id` and `retry` are of no use to us.
 */
export function createSseParser(maxEventChars: number = MAX_EVENT_CHARS): SseParser {
  // Splits inside a character, and the byte order mark, are the decoder's business.
  const decoder = new TextDecoder()
  let rest = ''
  let name = ''
  let data: string | undefined
  let size = 0
  let afterCarriageReturn = false

  const line = (text: string, events: SseEvent[]): void => {
    if (text === '') {
      if (data !== undefined) events.push({ name, data })
      name = ''
      data = undefined
      size = 0
    } else if (isField(text, 'data')) {
      const value = valueOf(text, 'data')
      data = data === undefined ? value : `${data}\n${value}`
      size += value.length
    } else if (isField(text, 'event')) name = valueOf(text, 'event')
  }
  return {
    push: (bytes) => {
      const events: SseEvent[] = []
      let text = decoder.decode(bytes, { stream: true })
      if (text === '') return events
      if (afterCarriageReturn && text.startsWith('\n')) text = text.slice(1)
      afterCarriageReturn = text.endsWith('\r')
      // Hardly anybody writes carriage returns, and one character is found much faster than a pattern.
      if (text.includes('\r')) text = text.replace(/\r\n?/g, '\n')
      let start = 0
      for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
        line(rest === '' ? text.slice(start, end) : rest + text.slice(start, end), events)
        rest = ''
        start = end + 1
      }
      // What is kept holds no line end: it is not looked through again with each piece of a long line.
      rest += text.slice(start)
      if (rest.length + size > maxEventChars) {
        throw new GatewayError(
          'wrong_shape',
          `one event of the stream is larger than ${maxEventChars} characters`,
        )
      }
      return events
    },
    end: () => [],
  }
}

const COLON = 0x3a

/** A line may be a field's name alone. */
function isField(line: string, name: string): boolean {
  return line.startsWith(name) && (line.length === name.length || line.charCodeAt(name.length) === COLON)
}

function valueOf(line: string, name: string): string {
  const start = name.length + 1
  return line.slice(line[start] === ' ' ? start + 1 : start)
}
