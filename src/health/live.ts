import { asGatewayError, GatewayError } from '../core/failure.ts'
import type { Deployment } from '../core/deployment.ts'
import type { Verdict } from '../core/verdict.ts'

/** Running checks: at most one for each deployment, shared by all who ask meanwhile. */
export interface Flights {
  /**
   * The verdict of the check that runs, or of a new one. The last caller to leave cancels it.
   * @throws GatewayError cancelled when `signal` aborts, or after `stop`; else whatever the check throws
   */
  share(deployment: Deployment, signal: AbortSignal): Promise<Verdict>
  /**
   * Waits for checks of all of them. A crashed one does not fail the others: it is handed to `onCrash`.
   * @throws GatewayError cancelled when `signal` aborts first
   */
  shareAll(
    deployments: readonly Deployment[],
    signal: AbortSignal,
    onCrash: (error: GatewayError) => void,
  ): Promise<void>
  /** Cancels everything and waits until nothing runs. */
  stop(): Promise<void>
}

interface Flight {
  readonly verdict: Promise<Verdict>
  readonly controller: AbortController
  callers: number
}

/** A caller's share in a flight. */
interface Ticket {
  readonly verdict: Promise<Verdict>
  leave(): void
}

/** Makes flights over `run`, which does one check and records its verdict. */
export function createFlights(
  run: (deployment: Deployment, signal: AbortSignal) => Promise<Verdict>,
): Flights {
  const flights = new Map<number, Flight>()
  /** Those that their callers left too, until they have really ended. */
  const running = new Set<Flight>()
  let isStopped = false

  function start(deployment: Deployment): Flight {
    const { index } = deployment
    const controller = new AbortController()
    const verdict = run(deployment, controller.signal).finally(() => {
      if (flights.get(index) === flight) flights.delete(index)
      running.delete(flight)
    })
    const flight: Flight = { verdict, controller, callers: 0 }
    flights.set(index, flight)
    running.add(flight)
    // A flight that everybody left still ends, with nobody to hear how.
    verdict.catch(() => undefined)
    return flight
  }

  function join(deployment: Deployment): Ticket {
    const { index } = deployment
    const flight = flights.get(index) ?? start(deployment)
    flight.callers += 1
    return {
      verdict: flight.verdict,
      leave: () => {
        flight.callers -= 1
        if (flight.callers > 0) return
        // Out of the map at once: who asks from now on gets a fresh check, not a cancelled one.
        if (flights.get(index) === flight) flights.delete(index)
        if (running.has(flight)) flight.controller.abort()
      },
    }
  }

  function joinAll(deployments: readonly Deployment[]): readonly Ticket[] {
    if (isStopped) throw cancelled()
    return deployments.map(join)
  }

  return {
    share: (deployment, signal) =>
      together(
        () => joinAll([deployment]),
        signal,
        async ([verdict]) => verdict ?? Promise.reject(cancelled()),
      ),
    shareAll: (deployments, signal, onCrash) =>
      together(
        () => joinAll(deployments),
        signal,
        async (verdicts) => {
          await Promise.all(verdicts.map((verdict) => settled(verdict, onCrash)))
        },
      ),
    stop: async () => {
      isStopped = true
      const left = [...running]
      for (const { controller } of left) controller.abort()
      await Promise.allSettled(left.map(({ verdict }) => verdict))
    },
  }
}

/** Joins, waits as `wait` does, and leaves, whatever happens meanwhile. */
async function together<Result>(
  join: () => readonly Ticket[],
  signal: AbortSignal,
  wait: (verdicts: readonly Promise<Verdict>[]) => Promise<Result>,
): Promise<Result> {
  if (signal.aborted) throw cancelled()
  const tickets = join()
  const left = onAbort(signal)
  try {
    return await Promise.race([wait(tickets.map(({ verdict }) => verdict)), left.promise])
  } finally {
    left.forget()
    for (const ticket of tickets) ticket.leave()
  }
}

async function settled(verdict: Promise<Verdict>, onCrash: (error: GatewayError) => void): Promise<void> {
  try {
    await verdict
  } catch (thrown) {
    const error = asGatewayError(thrown)
    if (error.kind !== 'cancelled') onCrash(error)
  }
}

/** Rejects as cancelled when the signal aborts; `forget` takes the listener off again. */
function onAbort(signal: AbortSignal): { readonly promise: Promise<never>; forget(): void } {
  const { promise, reject } = Promise.withResolvers<never>()
  promise.catch(() => undefined)
  const listen = (): void => reject(cancelled())
  signal.addEventListener('abort', listen, { once: true })
  return { promise, forget: () => signal.removeEventListener('abort', listen) }
}

function cancelled(): GatewayError {
  return new GatewayError('cancelled', 'the check was cancelled', { source: 'gateway' })
}
