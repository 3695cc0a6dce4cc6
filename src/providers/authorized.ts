import type { Clock } from '../core/clock.ts'
import { GatewayError } from '../core/failure.ts'
import type { Limits, WireRequest } from '../transport/wire.ts'
import { within } from './later.ts'

/** Who adds credentials, and by whose clock one waits for them. */
interface Authorizing {
  readonly authorize: (request: WireRequest) => WireRequest | Promise<WireRequest>
  readonly clock: Pick<Clock, 'after'>
}

/**
 * A request with its credentials: at once where they are at hand, else a promise that ends with the request's own time
 * or when nobody wants it any more. Whatever fetches them goes on for all others who wait.
 * @throws GatewayError (as a rejection) timeout, cancelled, or why there are none
 */
export function authorized(
  { authorize, clock }: Authorizing,
  wire: WireRequest,
  { timeoutMs, signal }: Pick<Limits, 'timeoutMs' | 'signal'>,
): WireRequest | Promise<WireRequest> {
  const ready = authorize(wire)
  if (!(ready instanceof Promise)) return ready
  const inTime = within(ready, timeoutMs, clock, 'no credentials came')
  return signal === undefined ? inTime : unlessAborted(inTime, signal)
}

/** What is left of the limits of a call that began at `startedMs`. */
export function left(limits: Limits, startedMs: number, clock: Pick<Clock, 'elapsed'>): Limits {
  return { ...limits, timeoutMs: limits.timeoutMs - (clock.elapsed() - startedMs) }
}

function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const gone = (): void =>
      reject(new GatewayError('cancelled', 'the call was cancelled', { source: 'gateway' }))
    if (signal.aborted) gone()
    else signal.addEventListener('abort', gone, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', gone))
  })
}
