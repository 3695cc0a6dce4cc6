import type { GatewayError } from '../core/failure.ts'

/** Ends one request with an error of its own. */
export type EndRequest = (reason: GatewayError) => void

/** Requests that wait for an upstream; the server ends them when its patience is over. */
export interface RunningRequests {
  /** Gives back what forgets it again, to be called once. */
  add(end: EndRequest): () => void
  endAll(reason: GatewayError): void
}

/**
 * Keeps them in numbered places that are used again. A Set would do, but V8 makes it a new table every few dozen
 * additions, and each old table holds the next one and all that was in it: under load whole requests outlive
 * the young generation that way, and collecting them doubled the CPU of a request.
 */
export function createRunningRequests(): RunningRequests {
  const places: (EndRequest | undefined)[] = []
  const free: number[] = []
  return {
    add: (end) => {
      const place = free.pop() ?? places.length
      places[place] = end
      return () => {
        places[place] = undefined
        free.push(place)
      }
    },
    endAll: (reason) => {
      for (const end of places) end?.(reason)
    },
  }
}
