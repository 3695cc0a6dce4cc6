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
  let data: string[] = []
  let size = 0
  let afterCarriageReturn = false

  const line = (text: string, events: SseEvent[]): void => {
    if (text === '') {
      if (data.length > 0) events.push({ name, data: data.join('\n') })
      name = ''
      data = []
      size = 0
      return
    }
    const colon = text.indexOf(':')
    const field = colon < 0 ? text : text.slice(0, colon)
    const value = colon < 0 ? '' : text.slice(text[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'event') name = value
    else if (field === 'data') {
      data.push(value)
      size += value.length
    }
  }
  return {
    push: (bytes) => {
      const events: SseEvent[] = []
      let text = decoder.decode(bytes, { stream: true })
      if (text === '') return events
      if (afterCarriageReturn && text.startsWith('\n')) text = text.slice(1)
      afterCarriageReturn = text === '' ? false : text.endsWith('\r')
      // What is kept holds no line end: it is not looked through again with each piece of a long line.
      // Hardly anybody writes carriage returns, and one character is found much faster than a pattern.
      const lines = text.split(text.includes('\r') ? /\r\n|\r|\n/ : '\n')
      const last = lines.pop() ?? ''
      for (const one of lines) {
        line(rest + one, events)
        rest = ''
      }
      rest += last
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
