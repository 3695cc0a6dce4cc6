import type { ServerResponse } from 'node:http'
import { pipeline, Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import type { Clock } from '../core/clock.ts'
import type { Plan } from './plan.ts'
import type { Reply } from './reply.ts'

/** Puts a plan on the wire. What it leaves running ends when the connection does. */
export function deliver(response: ServerResponse, plan: Plan, clock: Clock): void {
  const { reply, delivery } = plan
  switch (delivery.kind) {
    case 'now':
      return write(response, reply)
    case 'late':
      return wait(response, clock, delivery.ms, () => write(response, reply))
    case 'headers_first':
      head(response, reply)
      response.flushHeaders()
      return wait(response, clock, delivery.ms, () => writeBody(response, reply))
    case 'hang':
      return
    case 'reset':
      response.socket?.resetAndDestroy()
      return
    case 'stall':
      head(response, reply)
      response.write(halfOf(reply))
      return
    case 'cut':
      head(response, reply)
      // An end, not a reset: a reset could overtake what was written, and the client would see no answer at all.
      response.write(halfOf(reply), () => response.socket?.destroy())
      return
    case 'tear':
      head(response, reply)
      response.write(halfOf(reply))
      // A reset overtakes what is not read yet: the reader gets its half first.
      return wait(response, clock, TEAR_MS, () => response.socket?.resetAndDestroy())
    case 'half':
      return write(response, { ...reply, chunks: [halfOf(reply)] })
    case 'overrun':
      response.writeHead(reply.status, { ...reply.headers, 'content-length': halfOf(reply).length })
      response.end(wholeOf(reply))
      return
    case 'early':
      response.writeProcessing()
      return write(response, reply)
    case 'drip':
      head(response, reply)
      response.flushHeaders()
      return drip(response, wholeOf(reply), delivery.ms, clock)
    case 'mull':
      if (reply.chunks.length < 3) return write(response, reply)
      head(response, reply)
      return mull(response, reply, delivery.ms, clock)
    case 'pour':
      response.writeHead(reply.status, reply.headers)
      pipeline(Readable.from(poured(reply, delivery.bytes)), response, leave)
      return
    case 'bomb':
      response.writeHead(reply.status, { ...reply.headers, 'content-encoding': 'gzip' })
      pipeline(Readable.from(poured(reply, BOMB_BYTES)), createGzip(), response, leave)
  }
}

/** A client that stops reading a flood is what the flood is for; the pipeline has closed its parts. */
function leave(): void {}

/** How long a torn connection leaves its reader, milliseconds. */
const TEAR_MS = 50

/** What the bomb grows to; about a thousandth of it goes over the wire. */
const BOMB_BYTES = 256 * 1024 * 1024

function write(response: ServerResponse, reply: Reply): void {
  head(response, reply)
  writeBody(response, reply)
}

function head(response: ServerResponse, reply: Reply): void {
  const [only] = reply.chunks
  const isWhole = reply.chunks.length === 1 && only !== undefined
  response.writeHead(
    reply.status,
    isWhole ? { ...reply.headers, 'content-length': Buffer.byteLength(only) } : reply.headers,
  )
}

function writeBody(response: ServerResponse, reply: Reply): void {
  const last = reply.chunks.length - 1
  for (const [at, chunk] of reply.chunks.entries()) if (at < last) response.write(chunk)
  response.end(reply.chunks[last])
}

function wholeOf(reply: Reply): Buffer {
  return Buffer.concat(reply.chunks.map((chunk) => Buffer.from(chunk)))
}

function halfOf(reply: Reply): Buffer {
  const whole = wholeOf(reply)
  return whole.subarray(0, Math.ceil(whole.length / 2))
}

function drip(response: ServerResponse, bytes: Buffer, ms: number, clock: Clock): void {
  let at = 0
  const next = (): void => {
    if (at >= bytes.length) {
      response.end()
      return
    }
    response.write(bytes.subarray(at, at + 1))
    at += 1
    wait(response, clock, ms, next)
  }
  next()
}

/** Between what is said over and over, milliseconds. */
const MULL_MS = 100

function mull(response: ServerResponse, reply: Reply, ms: number, clock: Clock): void {
  const [first = '', again = '', ...rest] = reply.chunks
  const until = clock.elapsed() + ms
  response.write(first)
  const next = (): void => {
    response.write(again)
    if (clock.elapsed() < until) wait(response, clock, MULL_MS, next)
    else writeBody(response, { ...reply, chunks: rest })
  }
  next()
}

function wait(response: ServerResponse, clock: Clock, ms: number, run: () => void): void {
  const cancel = clock.after(ms, () => {
    response.off('close', cancel)
    run()
  })
  response.once('close', cancel)
}

/** A chat answer whose text, or whose events, do not end for a long time. */
function* poured(reply: Reply, bytes: number): Generator<Buffer> {
  const [first = '', second = ''] = reply.chunks
  if (reply.chunks.length > 1) {
    yield Buffer.from(first)
    const events = Buffer.from(String(second).repeat(256))
    for (let sent = 0; sent < bytes; sent += events.length) yield events
    return
  }
  const piece = Buffer.alloc(64 * 1024, 'x')
  yield Buffer.from(
    '{"id":"chatcmpl-1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"',
  )
  for (let sent = 0; sent < bytes; sent += piece.length) yield piece
  yield Buffer.from('"},"finish_reason":"stop"}]}')
}
