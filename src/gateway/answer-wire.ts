import type { ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import { attempt } from '../core/attempt.ts'
import type { AnswerHeaders } from '../routing/answer/answer-head.ts'
import type { Step } from './steps.ts'

/** What an answer goes through. */
export interface AnswerWireDeps {
  readonly response: ServerResponse
  /** Headers of every answer. */
  readonly headers: AnswerHeaders
  /** When an answer that is whole is sent. */
  readonly finish: Step
  /** Called when the client can take more, after `data` has said that it cannot. */
  readonly drained: () => void
}

/** An answer as HTTP, in frames of our own where it is a stream of events. */
export interface AnswerWire {
  /** `own` and `copies`: headers of this answer, and of its upstream. Nothing is sent of them before the first of the body. */
  head(status: number, own: AnswerHeaders, copies: readonly string[] | undefined, isStream: boolean): void
  /** False where the client cannot take more for now. */
  data(chunk: Buffer): boolean
  /** `over` is called once all is written; `broken` where that was put off and cannot be written, of which nothing was sent. */
  end(over: () => void, broken: (thrown: unknown) => void): void
  /** True while the client may still be told something else. */
  isUnsent(): boolean
  /** Ends an answer that has begun so that nobody takes it for whole: by a last event, or by breaking it off. */
  breakOff(lastEvent: () => string): void
}

/** An answer that nothing was said of yet. */
export function createAnswerWire({ response, headers, finish, drained }: AnswerWireDeps): AnswerWire {
  response.on('drain', drained)
  let isStream = false
  /** Where events go in frames of our own. */
  let events: Writable | undefined
  let announcedBytes = -1
  /** Writes the head, once: not before the first bytes of the body are there, which may be all of it. */
  let writeHead: (() => void) | undefined
  /** The body, where one chunk is all of it. */
  let whole: Buffer | undefined
  /** Of a stream: what its client has read last. */
  let latest: Buffer | undefined
  const open = (): void => {
    writeHead?.()
    writeHead = undefined
  }
  return {
    head: (status, own, copies, isOfEvents) => {
      isStream = isOfEvents
      announcedBytes = Number(own['content-length'] ?? -1)
      writeHead = () => response.writeHead(status, flat(headers, own, copies))
      if (!isStream) return
      open()
      events = eventWire(response, drained)
    },
    data: (chunk) => {
      latest = chunk
      if (events !== undefined) return events.write(framed(chunk))
      if (writeHead !== undefined && chunk.length === announcedBytes) {
        whole = chunk
        return true
      }
      open()
      return response.write(chunk)
    },
    end: (over, broken) => {
      const body = whole
      const end = (): void => {
        open()
        // As text, one character a byte, it is joined with the head and leaves in one plain write.
        if (body !== undefined) response.end(body.toString('latin1'), 'latin1')
        else if (events !== undefined) response.end(LAST_CHUNK)
        else response.end()
        over()
      }
      if (body === undefined) end()
      else finish(() => attempt(end, (thrown) => response.writableEnded || broken(thrown)))
    },
    isUnsent: () => !response.headersSent,
    breakOff: (lastEvent) => {
      if (!isStream) {
        endShort(response, announcedBytes !== -1)
        return
      }
      // The line end closes an event that broke off between two of its lines.
      const words = `${endsInName(latest) ? '' : '\n'}${lastEvent()}`
      response.end(events === undefined ? words : Buffer.concat([framed(Buffer.from(words)), LAST_CHUNK]))
    },
  }
}

/**
 * Sends the head of a stream. Its events go to the socket itself: the message would keep each of them for a turn, to
 * write more at once. Undefined where there are no frames.
 */
function eventWire(response: ServerResponse, drained: () => void): Writable | undefined {
  response.flushHeaders()
  // HTTP/1.0 knows no chunks.
  if (!response.chunkedEncoding) return undefined
  response.chunkedEncoding = false
  const { socket } = response
  // There is none yet while the answer to an earlier request on the same connection is being written.
  if (socket === null) return response
  socket.on('drain', drained)
  response.once('close', () => socket.off('drain', drained))
  return socket
}

/** True after the name of an event whose data never came: a blank line would make it an event without any. */
function endsInName(latest: Buffer | undefined): boolean {
  if (latest === undefined) return false
  const start = latest.lastIndexOf('\n', -2) + 1
  return latest.at(-1) === LINE_END && latest.toString('latin1', start, start + 6) === 'event:'
}

const LINE_END = 0x0a

/**
 * As a list, which Node writes down fastest. What is said of this answer beats what the upstream said, and that beats
 * what is said of all answers.
 */
function flat(common: AnswerHeaders, own: AnswerHeaders, copies: readonly string[] = []): string[] {
  const list: string[] = []
  for (let at = 0; at < copies.length; at += 2) {
    const [name, value] = [copies[at], copies[at + 1]]
    if (name !== undefined && value !== undefined && own[name] === undefined) list.push(name, value)
  }
  for (const name in common) {
    const value = common[name]
    if (value !== undefined && own[name] === undefined && !has(copies, name)) list.push(name, value)
  }
  for (const name in own) {
    const value = own[name]
    if (value !== undefined) list.push(name, value)
  }
  return list
}

function has(copies: readonly string[], name: string): boolean {
  for (let at = 0; at < copies.length; at += 2) if (copies[at] === name) return true
  return false
}

/**
 * Half an answer must look broken off, not short. To a client of HTTP/1.0 the end of a connection is the end of a body
 * whose length was not announced (RFC 9112 §8): only a reset tells it otherwise. Such a client is nginx, by default.
 */
function endShort(response: ServerResponse, isAnnounced: boolean): void {
  const { socket } = response
  if (socket === null || isAnnounced || response.chunkedEncoding) response.destroy()
  else socket.resetAndDestroy()
}

const LAST_CHUNK = Buffer.from('0\r\n\r\n')

/**
 * One chunk as it goes on the wire (RFC 9112 §7.1). Node would hand the system four pieces of it, size, line end,
 * bytes, line end; events are small and many.
 */
function framed(bytes: Buffer): Buffer {
  // Written out by hand: each call out of JavaScript costs more than all of these digits.
  let digits = 1
  for (let rest = bytes.length >>> 4; rest > 0; rest >>>= 4) digits++
  const frame = Buffer.allocUnsafe(digits + bytes.length + 4)
  for (let at = digits - 1, rest = bytes.length; at >= 0; at--, rest >>>= 4)
    frame[at] = HEX_DIGITS.charCodeAt(rest & 0xf)
  frame[digits] = CARRIAGE_RETURN
  frame[digits + 1] = LINE_END
  frame.set(bytes, digits + 2)
  frame[frame.length - 2] = CARRIAGE_RETURN
  frame[frame.length - 1] = LINE_END
  return frame
}

const HEX_DIGITS = '0123456789abcdef'
const CARRIAGE_RETURN = 0x0d
