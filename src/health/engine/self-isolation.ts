/** Notices that it is our own network that fails, not everybody else's. Times are `Clock.elapsed`'s. */
export interface SelfIsolation {
  /** A host could not be reached. */
  gone(host: number, at: number): void
  /** Somebody answered, whatever they said. */
  heard(host: number, at: number): void
  /** Nobody answers, and many hosts are gone at once: no verdict of ours is worth anything. */
  isIsolated(now: number): boolean
  /** Has any other host answered since `since`? While none has, one host's silence may be ours. */
  isAlone(host: number, since: number): boolean
}

const WITHIN_MS = 10_000
const LEAST_HOSTS = 3

/** Makes the watch over so many hosts. With fewer than three, one that is gone cannot be told from our own failure. */
export function createSelfIsolation(hosts: number): SelfIsolation {
  /** Hosts that were gone since anybody last answered. */
  const gone = new Map<number, number>()
  let heardHost = -1
  let heardAt = Number.NEGATIVE_INFINITY
  /** The newest answer of any host but `heardHost`. */
  let otherAt = Number.NEGATIVE_INFINITY
  const needed = Math.max(LEAST_HOSTS, Math.ceil(hosts / 2))
  return {
    gone: (host, at) => {
      gone.set(host, at)
    },
    heard: (host, at) => {
      if (host !== heardHost) {
        otherAt = heardAt
        heardHost = host
      }
      heardAt = Math.max(heardAt, at)
      if (gone.size > 0) gone.clear()
    },
    isIsolated: (now) => {
      if (gone.size < needed) return false
      let count = 0
      for (const at of gone.values()) if (now - at <= WITHIN_MS) count += 1
      return count >= needed
    },
    isAlone: (host, since) => {
      if (hosts < LEAST_HOSTS) return false
      return (host === heardHost ? otherAt : heardAt) <= since
    },
  }
}
