import type { Clock } from '../core/clock.ts'
import { GatewayError } from '../core/failure.ts'
import type { HttpMode, Operations } from '../core/mode.ts'
import type { Limits, Transport, WireRequest, WireResponse } from '../transport/wire.ts'
import type { Codec, Target } from './adapter.ts'
import { authorized } from './authorized.ts'

/** What the requests of one call go out on. */
export interface CallGround {
  readonly target: Target
  readonly authorize: (request: WireRequest) => WireRequest | Promise<WireRequest>
  readonly transport: Pick<Transport, 'send'>
  readonly clock: Pick<Clock, 'elapsed' | 'after'>
}

/** The last answer of a call, and how many requests it took after the first. */
export interface FollowedUp {
  readonly response: WireResponse
  readonly requests: number
  /** Present where the next answer is a stream: what it is asked for with, credentials and all. */
  readonly stream?: { readonly wire: WireRequest; readonly lastly?: WireRequest }
}

/** So many requests may follow each other at once; whoever wants more waits between them. */
const MOST_AT_ONCE = 3
const LEAST_WAIT_MS = 100
const FIRST_POLL_MS = 500
const POLL_GROWTH = 1.4
const LONGEST_POLL_MS = 5_000

/** How long to wait before a job is looked at for the nth time (0 for the first), milliseconds. */
export function pollMs(polls: number): number {
  return Math.min(Math.round(FIRST_POLL_MS * POLL_GROWTH ** polls), LONGEST_POLL_MS)
}

/**
 * Sends what follows the first answer of a call that takes several requests, each with the credentials, until an answer
 * is the last one or no 2xx, or the next one is to be streamed: `from` step 1 on none is. The limits are those of all of
 * them together.
 * @throws GatewayError as the transport does; timeout where the limits end first; cancelled
 */
export async function followUp<M extends HttpMode>(
  { target, authorize, transport, clock }: CallGround,
  codec: Codec<M>,
  request: Operations[M]['request'],
  first: WireResponse,
  limits: Limits,
  from = 0,
): Promise<FollowedUp> {
  const endMs = clock.elapsed() + limits.timeoutMs
  let response = first
  for (let step = from; ; step += 1) {
    const next = isGood(response) ? codec.next?.(response, request, target, step) : undefined
    if (next === undefined) return { response, requests: step }
    const waitMs = step < MOST_AT_ONCE ? next.afterMs : Math.max(next.afterMs, LEAST_WAIT_MS)
    if (clock.elapsed() + waitMs >= endMs) throw outOfTime(step, limits.timeoutMs)
    if (waitMs > 0) await pause(clock, waitMs, limits.signal)
    const remaining = (): Limits => ({ ...limits, timeoutMs: Math.max(endMs - clock.elapsed(), 1) })
    const isKeyless = next.stream?.isKeyless === true
    const wire = isKeyless ? next.request : await authorized({ authorize, clock }, next.request, remaining())
    if (next.stream !== undefined) return { response, requests: step, stream: { ...next.stream, wire } }
    response = await transport.send(wire, remaining())
  }
}

function isGood({ status }: WireResponse): boolean {
  return status >= 200 && status < 300
}

function outOfTime(step: number, timeoutMs: number): GatewayError {
  return new GatewayError(
    'timeout',
    `not done after ${step + 1} requests, and there is no time for another within ${timeoutMs} ms`,
  )
}

/** @throws GatewayError cancelled as soon as `signal` aborts */
function pause(clock: Pick<Clock, 'after'>, waitMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = (): void => {
      cancel()
      reject(new GatewayError('cancelled', 'the call was cancelled', { source: 'gateway' }))
    }
    const cancel = clock.after(waitMs, () => {
      signal?.removeEventListener('abort', gone)
      resolve()
    })
    if (signal?.aborted === true) gone()
    else signal?.addEventListener('abort', gone, { once: true })
  })
}
