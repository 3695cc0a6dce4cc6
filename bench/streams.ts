import { connect, type Socket } from 'node:net'
import { CLOSE, createFrameReader, frameBytes, pongTo, TEXT, upgradeRequest } from './frames.ts'
import { chatRequest, KEY, REALTIME_MODEL, STREAM_EVENTS, STREAM_PAUSE_MS } from './messages.ts'
import type { Aborts, Order, Seen, Sessions, Streams } from './order.ts'

const HEAD_END = '\r\n\r\n'
const BODY_END = Buffer.from('0\r\n\r\n')
const LAST_EVENT = Buffer.from('[DONE]')
/** Streams begin this far apart in sum, so that their events do not come in step. */
const SPREAD_MS = 400
/** How much longer than it should take may pass before a connection counts as a failure. */
const PATIENCE_MS = 10_000
/** What a session sends: an event of audio as realtime clients send it, 1,000 bytes. */
const MESSAGE = Buffer.from(
  `{"type":"input_audio_buffer.append","audio":"${'A'.repeat(1000 - '{"type":"input_audio_buffer.append","audio":""}'.length)}"}`,
)

/** One stream on each connection; a stream that does not end as it should is a failure. */
export async function streams(order: Order, { kind = 'stream', connections }: Streams): Promise<Seen> {
  const request = chatRequest(kind, order.port, order.headers)
  const begun = performance.now()
  const whole = await eachConnection(connections, SPREAD_MS / connections, async () => {
    const deadlineMs = STREAM_EVENTS * STREAM_PAUSE_MS + PATIENCE_MS
    return withSocket(order.port, deadlineMs, (socket, done) => {
      let tail: Buffer = Buffer.alloc(0)
      let hasLast = false
      socket.on('connect', () => socket.write(request))
      socket.on('data', (chunk: Buffer) => {
        tail = Buffer.concat([tail.subarray(-16), chunk])
        hasLast ||= tail.includes(LAST_EVENT)
        if (tail.subarray(-BODY_END.length).equals(BODY_END)) done(hasLast ? 1 : 0)
      })
    })
  })
  const good = sumOf(whole)
  return plainSeen(good * STREAM_EVENTS, connections - good, begun)
}

/** Streams that are left at their first bytes, one after the other on each connection's place. */
export async function aborts(order: Order, { connections, durationMs }: Aborts): Promise<Seen> {
  const request = chatRequest('stream', order.port, order.headers)
  const begun = performance.now()
  const until = begun + durationMs
  let failures = 0
  const left = await eachConnection(connections, 0, async () => {
    let count = 0
    while (performance.now() < until) {
      const one = await withSocket(order.port, PATIENCE_MS, (socket, done) => {
        socket.on('connect', () => socket.write(request))
        socket.on('data', (chunk: Buffer) => done(chunk.includes('HTTP/1.1 200') ? 1 : 0))
      })
      if (one === 0) failures++
      count += one
    }
    return count
  })
  return plainSeen(sumOf(left), failures, begun)
}

/** Sessions that wait for each message to come back; both its ways are counted. */
export async function sessions(order: Order, { connections, durationMs }: Sessions): Promise<Seen> {
  const host = `host: 127.0.0.1:${order.port}`
  const handshake = upgradeRequest(`/v1/realtime?model=${REALTIME_MODEL}`, [
    host,
    `authorization: Bearer ${KEY}`,
    ...(order.headers ?? []),
  ])
  const message = frameBytes({ opcode: TEXT, payload: MESSAGE }, true)
  const farewell = frameBytes({ opcode: CLOSE, payload: Buffer.from([3, 232]) }, true)
  const begun = performance.now()
  const until = begun + durationMs
  let passedOn = 0
  const ended = await eachConnection(connections, 0, () =>
    withSocket(order.port, durationMs + PATIENCE_MS, (socket, done) => {
      let head = ''
      let isOpen = false
      const read = createFrameReader((frame) => {
        const pong = pongTo(frame, true)
        if (pong !== undefined) socket.write(pong)
        if (frame.opcode === CLOSE) return done(0)
        if (frame.opcode !== TEXT) return
        if (!frame.payload.equals(MESSAGE)) return done(0)
        passedOn += 2
        if (performance.now() < until) return socket.write(message)
        socket.end(farewell)
        done(1)
      })
      socket.on('connect', () => socket.write(handshake))
      socket.on('data', (chunk: Buffer) => {
        if (isOpen) return read(chunk)
        head += chunk.toString('latin1')
        const headEnd = head.indexOf(HEAD_END)
        if (headEnd === -1) return
        if (!head.startsWith('HTTP/1.1 101')) return done(0)
        isOpen = true
        socket.write(message)
        const rest = head.slice(headEnd + HEAD_END.length)
        if (rest !== '') read(Buffer.from(rest, 'latin1'))
      })
    }),
  )
  return plainSeen(passedOn, connections - sumOf(ended), begun)
}

/** A connection until its user is done with a number; 0 where it breaks or the deadline passes. */
function withSocket(
  port: number,
  deadlineMs: number,
  use: (socket: Socket, done: (count: number) => void) => void,
): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const done = (count: number): void => {
      clearTimeout(timer)
      socket.removeAllListeners('close').removeAllListeners('data')
      // What is still to be sent is sent; whatever comes is not read.
      if (socket.writableEnded) socket.destroySoon()
      else socket.destroy()
      resolve(count)
    }
    const timer = setTimeout(() => done(0), deadlineMs)
    socket.on('error', () => {})
    socket.on('close', () => done(0))
    use(socket, done)
  })
}

/** Does it once for each connection, `apartMs` after each other. */
function eachConnection(
  connections: number,
  apartMs: number,
  one: () => Promise<number>,
): Promise<readonly number[]> {
  const begin = async (_: unknown, index: number): Promise<number> => {
    if (apartMs > 0) await new Promise((resolve) => setTimeout(resolve, index * apartMs))
    return one()
  }
  return Promise.all(Array.from({ length: connections }, begin))
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0)
}

function plainSeen(units: number, failures: number, begun: number): Seen {
  return { units, failures, wallMs: performance.now() - begun, p50Us: 0, p99Us: 0 }
}
