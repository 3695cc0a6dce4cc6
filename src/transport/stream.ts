import { errors, type Dispatcher } from 'undici'
import type { Cancel, Clock } from '../core/clock.ts'
import { asGatewayError, GatewayError } from '../core/failure.ts'
import { networkFailure, noConnection, type Progress } from './network-failure.ts'
import type { SlotHandler } from './connections.ts'
import type { Origin } from './pools.ts'
import type { Slot } from './slots.ts'
import { encodingOf, unpackedHeaders, unpacking, type Unpacking } from './unpack.ts'
import type { Limits, Stream, StreamSink, WireRequest } from './wire.ts'

/** What a stream runs on. */
export interface StreamGround {
  readonly clock: Clock
  readonly origin: Origin
  readonly userAgent: string
}

/** What is to be done. */
export interface Errand {
  readonly request: WireRequest
  readonly limits: Limits
  readonly sink: StreamSink
}

/** Opens one HTTP exchange, pushed into the errand's sink as it arrives. */
export function openStream(ground: StreamGround, errand: Errand): Stream {
  const exchange = new Exchange(ground, errand)
  exchange.open()
  return exchange
}

/**
 * One HTTP exchange: undici's handler and the caller's stream in one object, for there is one of it a request. One
 * timer for the whole of it, and one more only while it waits for a connection; silence inside the body is undici's
 * `bodyTimeout`. Redirects are answers like any
 * other: following one would carry credentials away.
 *
 * A request that dies on a connection which has served others, at once and before any byte of an answer, met a server
 * that was just closing it: it is sent once more, on a connection of its own (RFC 9112 §9.3.1 names the case).
 *
 * What the sink throws is our own fault: the exchange ends with it, and its connection, which undici would take for the
 * network's.
 */
class Exchange implements SlotHandler, Stream {
  slot: Slot | undefined
  readonly #ground: StreamGround
  readonly #errand: Errand
  #controller: Dispatcher.DispatchController | undefined
  #progress: Progress = 'connecting'
  #over: GatewayError | 'ended' | undefined
  #bytes = 0
  #isAnswering = false
  #isSentAgain = false
  #sentMs = 0
  #isReturned = false
  /** The upstream has said all of its answer. */
  #isWhole = false
  #stopTimer: Cancel = () => {}
  #stopConnecting: Cancel | undefined
  #unwatch: Cancel | undefined
  #unpacking: Unpacking | undefined

  constructor(ground: StreamGround, errand: Errand) {
    this.#ground = ground
    this.#errand = errand
  }

  open(): void {
    const ground = this.#ground
    const { request, limits } = this.#errand
    this.#stopTimer = ground.clock.after(limits.timeoutMs, () =>
      this.#fail(deadlinePassed(limits.timeoutMs, this.#progress)),
    )
    if (limits.signal !== undefined) this.#watch(limits.signal)
    ground.origin.running += 1
    if (limits.signal?.aborted === true) this.cancel()
    else {
      ground.origin.connections.dispatch(toDispatch(ground, request, limits), this)
      // A connection that has answered is open; without one it waits for its turn, which is no fault of the host.
      if (this.slot?.answers === 0) this.#boundConnecting()
    }
    this.#isReturned = true
  }

  resume(): void {
    if (this.#over !== undefined) return
    this.#unpacking?.resume()
    this.#controller?.resume()
  }

  cancel(): void {
    this.#fail(callerGone(this.#progress))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    this.#stopConnecting?.()
    if (this.#over instanceof GatewayError) controller.abort(this.#over)
    else {
      this.#progress = 'waiting for headers'
      this.#sentMs = this.#ground.clock.precise()
    }
  }

  onResponseStarted(): void {
    this.#isAnswering = true
  }

  onResponseStart(_: unknown, status: number, headers: Parameters<typeof flatHeaders>[0]): void {
    if (this.#over !== undefined || status < 200) return
    this.#progress = 'reading the body'
    try {
      this.#head(status, flatHeaders(headers))
    } catch (thrown) {
      this.#fail(asGatewayError(thrown))
    }
  }

  /** A packed answer reaches nobody as it is, not even where a deployment's own headers asked for it. */
  #head(status: number, headers: Readonly<Record<string, string>>): void {
    const { limits, sink } = this.#errand
    const encoding = encodingOf(status, headers['content-encoding'])
    if (encoding === undefined) {
      sink.head(status, headers)
      return
    }
    this.#unpacking = unpacking({
      encoding,
      maxBytes: limits.maxBytes,
      sink,
      flows: () => this.#controller?.resume(),
      ended: () => this.#endUnpacked(),
      failed: (error) => this.#fail(error),
    })
    sink.head(status, unpackedHeaders(headers))
  }

  /** What comes after the end of what was packed is nothing, and there may be no end to it. */
  #endUnpacked(): void {
    this.#settle('ended')
    if (!this.#isWhole) this.#controller?.abort(callerGone(this.#progress))
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over !== undefined) return
    const { limits, sink } = this.#errand
    this.#bytes += chunk.length
    try {
      if (this.#bytes > limits.maxBytes) this.#fail(tooLarge(limits.maxBytes))
      else if (!(this.#unpacking ?? sink).data(chunk)) controller.pause()
    } catch (thrown) {
      this.#fail(asGatewayError(thrown))
    }
  }

  onResponseEnd(): void {
    if (this.slot !== undefined) this.#ground.origin.connections.ended(this.slot)
    this.#isWhole = true
    if (this.#over !== undefined) return
    if (this.#unpacking === undefined) this.#settle('ended')
    else this.#unpacking.end()
  }

  onResponseError(_: unknown, error: Error): void {
    if (error instanceof errors.InvalidArgumentError && this.slot !== undefined)
      this.#ground.origin.connections.refused(this.slot)
    const failure = networkFailure(error, this.#progress)
    if (this.#mayGoAgain(failure)) this.#sendAgain()
    else this.#fail(failure)
  }

  #mayGoAgain(failure: GatewayError): boolean {
    const isReused = this.slot !== undefined && this.slot.answers > 0
    if (this.#over !== undefined || !isReused || this.#isSentAgain || this.#isAnswering) return false
    if (failure.kind !== 'unreachable' || !isRepeatable(this.#errand.request)) return false
    return this.#ground.clock.precise() - this.#sentMs <= MOST_CLOSING_MS
  }

  #sendAgain(): void {
    const { request, limits } = this.#errand
    this.#isSentAgain = true
    this.#progress = 'connecting'
    this.#ground.origin.connections.dispatchAlone(toDispatch(this.#ground, request, limits), this)
    this.#boundConnecting()
  }

  #boundConnecting(): void {
    const { connectTimeoutMs } = this.#errand.limits
    if (connectTimeoutMs === undefined || this.#progress !== 'connecting' || this.#over !== undefined) return
    const mostMs = connectTimeoutMs()
    this.#stopConnecting = this.#ground.clock.after(mostMs, () => this.#fail(noConnection(mostMs)))
  }

  #watch(signal: AbortSignal): void {
    const cancel = (): void => this.cancel()
    signal.addEventListener('abort', cancel, { once: true })
    this.#unwatch = () => signal.removeEventListener('abort', cancel)
  }

  #fail(error: GatewayError): void {
    if (this.#over !== undefined) return
    try {
      this.#settle(error)
    } finally {
      this.#controller?.abort(error)
    }
  }

  #settle(outcome: GatewayError | 'ended'): void {
    const { sink } = this.#errand
    this.#over = outcome
    this.#ground.origin.running -= 1
    this.#stopTimer()
    this.#stopConnecting?.()
    this.#unwatch?.()
    this.#unpacking?.stop()
    if (outcome === 'ended') endSink(sink)
    else if (this.#isReturned) sink.fail(outcome)
    // A request that cannot even be queued fails before its caller holds the stream.
    else queueMicrotask(() => sink.fail(outcome))
  }
}

function endSink(sink: StreamSink): void {
  try {
    sink.end()
  } catch (thrown) {
    sink.fail(asGatewayError(thrown))
  }
}

/** The news of a closed connection takes a round trip. Whoever dies later has worked on the request, and may be paid. */
const MOST_CLOSING_MS = 2000

/** A streamed body is there a second time only while nothing but its held part was taken. */
function isRepeatable({ streamed }: WireRequest): boolean {
  return streamed === undefined || streamed.canOpen()
}

function toDispatch(ground: StreamGround, request: WireRequest, limits: Limits): Dispatcher.DispatchOptions {
  const { name, forward } = ground.origin
  const rest = request.url.slice(name.length)
  const path = rest.startsWith('/') ? rest : `/${rest}`
  const headers = headerList(request.headers, ground.userAgent)
  if (forward !== undefined) for (const header in forward) headers.push(header, forward[header] ?? '')
  return {
    origin: name,
    path: forward === undefined ? path : name + path,
    method: request.method,
    headers,
    body: request.streamed?.open() ?? request.body ?? null,
    headersTimeout: 0,
    bodyTimeout: limits.idleTimeoutMs ?? 0,
  }
}

/** A flat list, which undici reads fastest. Compressed bodies could not be watched cheaply. */
function headerList(headers: Readonly<Record<string, string>>, userAgent: string): string[] {
  const list: string[] = []
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined) list.push(name, value)
  }
  if (headers['accept-encoding'] === undefined) list.push('accept-encoding', 'identity')
  if (headers['user-agent'] === undefined) list.push('user-agent', userAgent)
  return list
}

/** Joins repeated headers by `, ` (RFC 9110 §5.3). */
export function flatHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const flat: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined) flat[name] = typeof value === 'string' ? value : value.join(', ')
  }
  return flat
}

/** Our own deadline: the words that every report of it starts with. */
export function deadlinePassed(timeoutMs: number, progress: string): GatewayError {
  return new GatewayError('timeout', `no whole answer within ${timeoutMs} ms (${progress})`)
}

/** Nobody waits for the answer any more. */
export function callerGone(progress: string): GatewayError {
  return new GatewayError('cancelled', `the caller went away (${progress})`, { source: 'client' })
}

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError('wrong_shape', `the answer is larger than ${maxBytes} bytes`)
}
