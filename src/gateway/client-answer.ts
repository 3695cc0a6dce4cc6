import type { ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import type { Clock } from '../core/clock.ts'
import type { GatewayError } from '../core/failure.ts'
import type { Redact } from '../core/secret.ts'
import { atTurnEnd } from '../core/turn-end.ts'
import type { AnswerHeaders } from '../routing/answer/answer-head.ts'
import type { RelayAnswer } from '../routing/answer/relay-answer.ts'
import { errorAnswer, errorEvent } from './error-answer.ts'
import type { ErrorWords } from './error-words.ts'
import type { RequestReport } from './request-report.ts'

/** What an answer is written with. */
export interface ClientAnswerDeps {
  readonly response: ServerResponse
  /** Headers of every answer: call id, versions. */
  readonly headers: Readonly<Record<string, string>>
  /** The name of what is asked for, in the report. */
  readonly operation: string
  readonly redact: Redact
  readonly report: RequestReport
  readonly clock: Clock
  /** Ends an answer with its whole body, one character a byte, together with others. */
  readonly finish: (response: ServerResponse, body: string) => void
  /** Called when the client can take more, after `data` has said that it cannot. */
  readonly drained: () => void
  /** How this client reads errors; default: as OpenAI's. */
  readonly errors?: ErrorWords | undefined
}

/** An answer to a client of the gateway. */
export interface ClientAnswer extends RelayAnswer {
  /** What is asked for is told by the body: until it was read it went by another name. */
  countAs(operation: string): void
}

/** How long the rest of a body that we refuse is thrown away, so that the client can read why. Milliseconds. */
const LINGER_MS = 1000

/** Writes a relayed answer to the client's socket. After the first byte an error ends it honestly or breaks it off. */
export function createClientAnswer(deps: ClientAnswerDeps): ClientAnswer {
  const { response, headers, redact, report, errors, finish, drained } = deps
  response.on('drain', drained)
  const account = report.begun(deps.operation, headers)
  let isOver = false
  /** Where events go in frames of our own. */
  let events: Writable | undefined
  let announcedBytes = -1
  /** The body, where one chunk is all of it. */
  let whole: Buffer | undefined
  /** Of a stream: what its client has read last. */
  let latest: Buffer | undefined
  // The line end closes an event that broke off between two of its lines.
  const lastWords = (error: GatewayError): string =>
    `${endsInName(latest) ? '' : '\n'}${errorEvent(error, redact, errors)}`
  return {
    countAs: (operation) => void (account.operation = operation),
    meets: (deployment) => {
      account.group ??= deployment
      account.last = deployment
    },
    head: (status, own, copies) => {
      if (isOver || response.destroyed) return
      account.status = status
      account.own = own
      account.isStream = own['content-type']?.startsWith('text/event-stream') === true
      announcedBytes = Number(own['content-length'] ?? -1)
      response.writeHead(status, flat(headers, own, copies))
      if (account.isStream) events = eventWire(response, drained)
    },
    data: (chunk) => {
      // Nothing at all would be the last chunk.
      if (isOver || response.destroyed || chunk.length === 0) return true
      latest = chunk
      if (events !== undefined) return events.write(framed(chunk))
      if (chunk.length !== announcedBytes) return response.write(chunk)
      whole = chunk
      return true
    },
    end: (facts) => {
      if (isOver) return
      isOver = true
      // As text, one character a byte, it is joined with the head and leaves in one plain write.
      if (whole !== undefined) finish(response, whole.toString('latin1'))
      else if (events !== undefined) response.end(LAST_CHUNK)
      else response.end()
      report.over(account, { facts })
    },
    fail: (error, route, efforts) => {
      if (isOver) return
      isOver = true
      if (account.status === 0) account.own = route
      report.over(account, { failure: error, efforts })
      if (response.destroyed) return
      if (!response.headersSent) {
        const { status, headers: own, body } = errorAnswer(error, redact, undefined, errors)
        refuse(deps, status, { ...headers, ...route, ...own }, body)
      } else if (events !== undefined)
        response.end(Buffer.concat([framed(Buffer.from(lastWords(error))), LAST_CHUNK]))
      else if (account.isStream) response.end(lastWords(error))
      else breakOff(response, announcedBytes !== -1)
    },
  }
}

/** Ends answers of one turn of the event loop one after the other, at its end. */
export function createFinish(): ClientAnswerDeps['finish'] {
  const end = atTurnEnd<readonly [ServerResponse, string]>(([response, body]) => response.end(body, 'latin1'))
  return (response, body) => end([response, body])
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
function breakOff(response: ServerResponse, isAnnounced: boolean): void {
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

/**
 * Sends an error. Where the client is still sending its body the connection ends after it, but not before the
 * client had a moment to read: closing a socket with unread bytes resets it, and the answer is lost.
 */
function refuse(
  { response, clock }: ClientAnswerDeps,
  status: number,
  headers: Record<string, string>,
  body: string,
): void {
  const length = { 'content-length': String(Buffer.byteLength(body)) }
  const request = response.req
  if (request.complete) {
    response.writeHead(status, { ...headers, ...length }).end(body)
    return
  }
  response.writeHead(status, { ...headers, ...length, connection: 'close' }).write(body)
  request.resume()
  const stopWaiting = clock.after(LINGER_MS, () => response.end())
  request.once('end', () => response.end())
  response.once('close', stopWaiting)
}
