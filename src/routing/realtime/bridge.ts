import type { Clock } from '../../core/clock.ts'
import type { Usage } from '../../core/answer-facts.ts'
import type { Redact } from '../../core/secret.ts'
import { closeReason, isSendableCode, type MessageBytes, type OpenSocket } from '../../core/web-socket.ts'
import type { SessionTranslator } from '../../providers/realtime-face.ts'
import { bytesOf, hasRoom, isFull, pause, resume, sideOf, type Side } from './side.ts'
import { usageInEvent } from './session-usage.ts'
import { createMiddle, type Middle } from './translated.ts'

/** How a session ended. */
export interface SessionEnd {
  /** Who ended it; `gateway`: we did, for a deadline or because we stop. */
  readonly by: 'client' | 'upstream' | 'gateway'
  /** What the side that ended it said, or 1006 where its connection broke. */
  readonly code: number
  /** Redacted. */
  readonly reason: string
  /** Messages passed on. */
  readonly fromClient: number
  readonly fromUpstream: number
}

/** What a bridge is told besides its two sockets. */
export interface BridgeOptions {
  readonly clock: Clock
  readonly redact: Redact
  /** Called once, when the first side is over; the other one is being closed. */
  readonly ended: (end: SessionEnd) => void
  /** Told of tokens, each time that the upstream says what something has cost. */
  readonly spent?: ((usage: Usage) => void) | undefined
  /** Present where the two sides speak different words. */
  readonly translator?: SessionTranslator | undefined
}

/** A running session. */
export interface Bridge {
  /** Ends both sides from here, or hurries what is left of an end. */
  end(code: number, reason: string): void
}

/** How often each side is asked for a sign of life, milliseconds. */
const PING_MS = 30_000
/** A side that answers none of so many pings, and says nothing else, is dead. */
const MAX_UNANSWERED_PINGS = 2
/** The longest time without a message passed on, milliseconds. A session is silent while nobody speaks. */
const IDLE_MS = 600_000
/** What a socket says where a close frame held no code, and where none came (RFC 6455 §7.1.5). */
const NO_CODE = 1005
const BROKEN = 1006
/** A side that cannot do what it is there for (RFC 6455 §7.4.1). */
const INTERNAL_ERROR = 1011
/** How long a side may take to answer our close, and to read what was still on its way. Milliseconds. */
const CLOSE_GRACE_MS = 10_000
/** The same where the other side is gone or the process ends. Milliseconds. */
const SHORT_GRACE_MS = 400

/**
 * Joins two open WebSockets: each message goes out as it came in, text or binary, in order, unless there is a translator
 * between them; the faster side waits for the slower one; how one side closes is how the other one is closed.
 */
export function bridge(clientSocket: OpenSocket, upstreamSocket: OpenSocket, options: BridgeOptions): Bridge {
  const { clock, redact } = options
  const client = sideOf('client', clientSocket)
  const upstream = sideOf('upstream', upstreamSocket)
  let isOver = false
  let lastMessageAt = clock.elapsed()
  let stopTicking = (): void => {}

  const finish = (by: SessionEnd['by'], code: number, reason: string): void => {
    isOver = true
    stopTicking()
    middle?.stop()
    options.ended({ by, code, reason, fromClient: client.passedOn, fromUpstream: upstream.passedOn })
  }
  const end = (code: number, reason: string): void => {
    const wasOver = isOver
    if (!wasOver) finish('gateway', code, reason)
    for (const side of [client, upstream]) {
      // One that is still saying goodbye has heard a reason; it only has less time for it now.
      if (wasOver) endAfter(clock, side, SHORT_GRACE_MS)
      else close(clock, side, { code, reason }, SHORT_GRACE_MS)
    }
  }
  const lost = (from: Side, code: number, given: string): void => {
    if (isOver) return
    const reason = redact(given)
    finish(from.name, code, reason)
    if (from === upstream) middle?.close(code, reason)
    close(clock, from === client ? upstream : client, farewellOf(from, code, reason), graceOf(from, code))
    // After an error the socket is still saying why, to a peer that may be busy sending, or never answer.
    endAfter(clock, from, CLOSE_GRACE_MS)
  }
  const tick = (): void => {
    if (clock.elapsed() - lastMessageAt >= IDLE_MS) {
      end(1001, `no message for ${IDLE_MS / 1000} s`)
      return
    }
    stopTicking = clock.after(PING_MS, tick)
    for (const side of [client, upstream])
      if (!isOver && !answersPings(side)) lost(side, BROKEN, `no answer to ${MAX_UNANSWERED_PINGS} pings`)
  }
  const middle = createMiddle(client, upstream, options, {
    late: (why) => lost(upstream, INTERNAL_ERROR, why),
    broken: (why) => {
      if (!isOver) end(INTERNAL_ERROR, redact(why))
    },
  })
  const attach = (from: Side, to: Side): void => {
    const pass = passOf(middle, from, to, options)
    listen(from, lost, (data, isBinary) => {
      lastMessageAt = clock.elapsed()
      if (isOver) return
      from.passedOn += 1
      pass(data, isBinary)
    })
  }
  attach(client, upstream)
  attach(upstream, client)
  stopTicking = clock.after(PING_MS, tick)
  middle?.open()
  upstreamSocket.resume()
  return { end }
}

type Pass = (data: MessageBytes, isBinary: boolean) => void

function passOf(middle: Middle | undefined, from: Side, to: Side, options: BridgeOptions): Pass {
  return middle === undefined ? straight(from, to, options) : (data) => middle.pass(from, data)
}

/** Passes messages on as they are, and stops reading where they cannot leave as fast as they come. */
function straight(from: Side, to: Side, { spent }: Pick<BridgeOptions, 'spent'>): Pass {
  const flushed = (): void => {
    if (hasRoom(to)) resume(from)
  }
  return (data, isBinary) => {
    const bytes = bytesOf(data)
    to.socket.send(bytes, { binary: isBinary }, flushed)
    if (isFull(to)) pause(from)
    if (spent === undefined || isBinary || from.name === 'client') return
    const usage = usageInEvent(bytes)
    if (usage !== undefined) spent(usage)
  }
}

/** Hears what a side says, for which all of it is a sign of life, and its end. */
function listen(side: Side, lost: (from: Side, code: number, reason: string) => void, pass: Pass): void {
  const isAlive = (): void => {
    side.unanswered = 0
  }
  side.socket.on('ping', isAlive)
  side.socket.on('pong', isAlive)
  side.socket.on('message', (data, isBinary) => {
    isAlive()
    pass(data, isBinary)
  })
  side.socket.on('error', (error) => lost(side, BROKEN, error.message))
  side.socket.on('close', (code, reason) => {
    side.isClosed = true
    lost(side, code, reason.toString())
  })
}

interface Farewell {
  readonly code: number
  readonly reason: string
}

function close(clock: Clock, side: Side, { code, reason }: Farewell, graceMs: number): void {
  if (side.isClosed) return
  // A paused one would never read the answer to the close frame.
  side.socket.resume()
  if (isSendableCode(code)) side.socket.close(code, closeReason(reason))
  else side.socket.close()
  endAfter(clock, side, graceMs)
}

function endAfter(clock: Clock, side: Side, graceMs: number): void {
  if (side.isClosed) return
  const stop = clock.after(graceMs, () => side.socket.terminate())
  side.socket.on('close', stop)
}

/** Pings a side once more; false where it has answered none so far. One that is not read, or reads slowly, cannot. */
function answersPings(side: Side): boolean {
  if (side.isPaused || side.socket.bufferedAmount > 0) return true
  if (side.unanswered >= MAX_UNANSWERED_PINGS) return false
  side.unanswered += 1
  side.socket.ping()
  return true
}

/** What an upstream sent before its end is still read by a slow client; what a lost client sent helps nobody. */
function graceOf(from: Side, code: number): number {
  return code === BROKEN && from.name === 'client' ? SHORT_GRACE_MS : CLOSE_GRACE_MS
}

/** What the other side is told: the same, unless the code may not be sent or was about this connection alone. */
function farewellOf(from: Side, code: number, reason: string): Farewell {
  if (code === NO_CODE || isSendableCode(code)) return { code, reason }
  const why = reason === '' ? '' : `: ${reason}`
  return from.name === 'upstream'
    ? { code: 1011, reason: `the upstream's connection broke${why}` }
    : { code: 1001, reason: `the client's connection broke${why}` }
}
