import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../core/clock.ts'
import { GatewayError } from '../core/failure.ts'
import type { FailureKind } from '../core/failure.ts'
import type { Log } from '../core/log.ts'
import { atTurnEnd } from '../core/turn-end.ts'
import { createBusyLoop, type LoopDeps } from './busy-loop.ts'
import { errorAnswer } from './error-answer.ts'

/** What admission is decided by. */
export interface AdmissionDeps extends LoopDeps {
  readonly clock: Clock
  readonly log: Log
  /** Most requests in flight. */
  readonly maxInFlight: number
  /** Told of each request that is sent away here; counting it must cost next to nothing. */
  readonly refused: (kind: FailureKind) => void
  /** Of every answer. */
  readonly headers: Readonly<Record<string, string>>
}

/** The door: who may come in while the gateway is busy. */
export interface Admission {
  /** Why a request that brings work may not come in; undefined where it may. */
  refusal(): Refusal | undefined
  /** Sends the refusal. Nothing of the body is looked at. */
  refuse(refusal: Refusal, request: IncomingMessage, response: ServerResponse): void
}

/** A refusal and its whole answer, made once: it must cost far less than a request. */
export interface Refusal {
  readonly error: GatewayError
  readonly headers: string[]
  /** JSON, ASCII only: as text it leaves in one plain write with the head. */
  readonly body: string
}

const RETRY_AFTER_MS = 1_000
/** Larger bodies are not read to their end only to keep a connection. */
const MAX_DRAINED_BYTES = 64 * 1024
/** How long the rest of such a body is thrown away, so that the client can read the answer. */
const LINGER_MS = 1_000
/** Refusals are counted for this long before they are told. */
const LOG_PAUSE_MS = 5_000

/** Opens the door to all until there are too many. */
export function createAdmission(deps: AdmissionDeps): Admission {
  const { clock, log, maxInFlight, inFlight } = deps
  const isLoopBusy = createBusyLoop(deps)
  const full = refusalOf(deps, `${maxInFlight} requests are in flight already`)
  const late = refusalOf(deps, 'it has more requests than it can work on')
  const putOff = atTurnEnd()
  let refused = 0
  const count = (): void => {
    refused++
    if (refused > 1) return
    clock.after(LOG_PAUSE_MS, () => {
      log.warn('requests_refused', { count: refused, in_flight: inFlight(), within_ms: LOG_PAUSE_MS })
      refused = 0
    })
  }
  return {
    refusal: () => {
      const isLate = isLoopBusy()
      const refusal = inFlight() >= maxInFlight ? full : isLate ? late : undefined
      if (refusal !== undefined) count()
      return refusal
    },
    refuse: (refusal, request, response) => {
      deps.refused(refusal.error.kind)
      // Node throws a body away that nobody has read when the answer is sent, and the connection goes on.
      if (isSmall(request)) putOff(() => send(refusal, response))
      else sendAndLinger(refusal, request, response, clock)
    },
  }
}

/** Whoever only reads what is in memory is let in always: probes of the gateway itself, lists of models, metrics. */
export function isExempt({ method, url = '' }: IncomingMessage): boolean {
  return method !== 'POST' || url.startsWith('/health')
}

function refusalOf({ headers }: AdmissionDeps, why: string): Refusal {
  const message = `The gateway is busy: ${why}. Ask again in a moment, or add an instance.`
  const error = new GatewayError('overloaded', message, { source: 'gateway', retryAfterMs: RETRY_AFTER_MS })
  const { headers: own, body } = errorAnswer(error, (text) => text)
  const all = { ...headers, ...own, 'content-length': String(body.length) }
  return { error, headers: Object.entries(all).flat(), body }
}

function send({ error, headers, body }: Refusal, response: ServerResponse): void {
  response.writeHead(error.clientStatus, headers).end(body, 'latin1')
}

function sendAndLinger(
  { error, headers, body }: Refusal,
  request: IncomingMessage,
  response: ServerResponse,
  clock: Clock,
): void {
  response.writeHead(error.clientStatus, [...headers, 'connection', 'close']).write(body)
  request.resume()
  const stopWaiting = clock.after(LINGER_MS, () => response.end())
  request.once('end', () => response.end())
  response.once('close', stopWaiting)
}

/** The headers as they came: making an object of them costs as much as all the rest here. */
function isSmall({ rawHeaders }: IncomingMessage): boolean {
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase()
    if (name === 'transfer-encoding') return false
    if (name === 'content-length') return Number(rawHeaders[at + 1]) <= MAX_DRAINED_BYTES
  }
  return true
}
