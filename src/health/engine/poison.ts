/** Finds requests that fail wherever they go. */
export interface Poison {
  /**
   * A request failed at a deployment. Returns all deployments that it has failed at, where these are two or more: the
   * request is at fault, not they.
   */
  note(request: number, index: number, now: number): readonly number[]
}

/** A request's retries are over by then. */
const GENERATION_MS = 60_000
const MOST_REQUESTS = 20_000
const NONE: readonly number[] = []

/** Makes the memory of failed requests: two generations, each of a minute and of 20,000 requests at most. */
export function createPoison(): Poison {
  let young = new Map<number, readonly number[]>()
  let old = new Map<number, readonly number[]>()
  let bornAt = Number.NEGATIVE_INFINITY
  return {
    note: (request, index, now) => {
      if (request === 0) return NONE
      if (now - bornAt >= GENERATION_MS || young.size >= MOST_REQUESTS) {
        old = now - bornAt >= 2 * GENERATION_MS ? new Map() : young
        young = new Map()
        bornAt = now
      }
      const known = young.get(request) ?? old.get(request) ?? NONE
      const failed = known.includes(index) ? known : [...known, index]
      young.set(request, failed)
      return failed.length > 1 ? failed : NONE
    },
  }
}
