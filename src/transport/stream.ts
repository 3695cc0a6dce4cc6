import type { Dispatcher } from 'undici'
import type { Cancel, Clock } from '../core/clock.ts'
import { GatewayError } from '../core/failure.ts'
import { networkFailure, type Progress } from './network-failure.ts'
import type { Origin } from './pools.ts'
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

/**
 * One HTTP exchange, pushed into `sink` as it arrives. One timer for the whole of it; silence inside the body
 * is undici's `bodyTimeout`. Redirects are answers like any other: following one would carry credentials away.
 */
export function openStream(ground: StreamGround, { request, limits, sink }: Errand): Stream {
  let controller: Dispatcher.DispatchController | undefined
  let progress: Progress = 'connecting'
  let over: GatewayError | 'ended' | undefined
  let bytes = 0
  let returned = false
  let stopTimer: Cancel = () => {}

  const settle = (outcome: GatewayError | 'ended'): void => {
    over = outcome
    ground.origin.running -= 1
    stopTimer()
    limits.signal?.removeEventListener('abort', cancel)
    if (outcome === 'ended') sink.end()
    else if (returned) sink.fail(outcome)
    // A request that cannot even be queued fails before its caller holds the stream.
    else queueMicrotask(() => sink.fail(outcome))
  }
  const fail = (error: GatewayError): void => {
    if (over !== undefined) return
    settle(error)
    controller?.abort(error)
  }
  const cancel = (): void => fail(callerGone(progress))
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: (started) => {
      controller = started
      if (over instanceof GatewayError) started.abort(over)
      else progress = 'waiting for headers'
    },
    onResponseStart: (_, status, headers) => {
      if (over !== undefined || status < 200) return
      progress = 'reading the body'
      sink.head(status, flatHeaders(headers))
    },
    onResponseData: (running, chunk) => {
      if (over !== undefined) return
      bytes += chunk.length
      if (bytes > limits.maxBytes) fail(tooLarge(limits.maxBytes))
      else if (!sink.data(chunk)) running.pause()
    },
    onResponseEnd: () => {
      if (over === undefined) settle('ended')
    },
    onResponseError: (_, error) => fail(networkFailure(error, progress)),
  }

  stopTimer = ground.clock.after(limits.timeoutMs, () => fail(deadlinePassed(limits.timeoutMs, progress)))
  limits.signal?.addEventListener('abort', cancel, { once: true })
  ground.origin.running += 1
  if (limits.signal?.aborted === true) cancel()
  else ground.origin.pool.dispatch(toDispatch(ground, request, limits), handler)
  returned = true
  return {
    resume: () => {
      if (over === undefined) controller?.resume()
    },
    cancel,
  }
}

function toDispatch(ground: StreamGround, request: WireRequest, limits: Limits): Dispatcher.DispatchOptions {
  const path = request.url.slice(ground.origin.name.length)
  return {
    origin: ground.origin.name,
    path: path.startsWith('/') ? path : `/${path}`,
    method: request.method,
    headers: headerList(request.headers, ground.userAgent),
    body: request.streamed?.open() ?? request.body ?? null,
    headersTimeout: 0,
    bodyTimeout: limits.idleTimeoutMs ?? 0,
  }
}

/** A flat list, which undici reads fastest. Compressed bodies could neither be relayed nor watched cheaply. */
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
