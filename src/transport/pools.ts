import { Pool } from 'undici'

/** One `scheme://host:port` and what runs on it. */
export interface Origin {
  readonly name: string
  readonly pool: Pool
  /** Exchanges begun and not over, waiting ones included. */
  running: number
  /** A number that grows with every use of any origin. */
  lastUse: number
}

/** Connection pools, one an origin, the least recently used closed first. */
export interface Pools {
  /** @throws TypeError where the name is no origin */
  of(name: string): Origin
  /** Ends every connection, running exchanges included. */
  destroy(): Promise<void>
}

/** How connections are kept. */
export interface PoolSettings {
  /** Origins kept at once. Default 1,000. */
  readonly maxOrigins: number
  /** Connections an origin, and so exchanges at once: a stream holds its own. Default 1,024. */
  readonly maxConnections: number
  /** Patience for TCP and TLS set-up, milliseconds. Default 10,000. */
  readonly connectTimeoutMs: number
}

/** undici's own default header limit (16 KiB) is less than some content-security policies. */
const MAX_HEADER_BYTES = 64 * 1024

/** Keeps the pools. Deadlines are the exchange's: undici's 300 s defaults are off. */
export function createPools(settings: PoolSettings): Pools {
  const origins = new Map<string, Origin>()
  const create = (origin: string): Pool =>
    new Pool(origin, {
      connections: settings.maxConnections,
      pipelining: 1,
      // One stream a connection keeps a stalled stream from holding up its neighbours.
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      connectTimeout: settings.connectTimeoutMs,
      maxHeaderSize: MAX_HEADER_BYTES,
    })
  let uses = 0
  // A search is rare: it is for a new origin where there are too many. Keeping a Map in order of use is not, and
  // leaves a dead table behind every few requests.
  const evict = (): void => {
    while (origins.size > settings.maxOrigins) {
      let oldest: Origin | undefined
      for (const origin of origins.values())
        if (oldest === undefined || origin.lastUse < oldest.lastUse) oldest = origin
      if (oldest === undefined) return
      origins.delete(oldest.name)
      // Running exchanges finish; a refusal to close (already closing) leaves nothing to do.
      oldest.pool.close().catch(() => {})
    }
  }
  return {
    of: (name) => {
      uses += 1
      const known = origins.get(name)
      if (known !== undefined) {
        known.lastUse = uses
        return known
      }
      const origin = { name, pool: create(name), running: 0, lastUse: uses }
      origins.set(name, origin)
      evict()
      return origin
    },
    destroy: async () => {
      const all = [...origins.values()]
      origins.clear()
      await Promise.all(all.map((origin) => origin.pool.destroy()))
    },
  }
}
