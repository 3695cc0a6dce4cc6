import { Pool } from 'undici'

/** One `scheme://host:port` and what runs on it. */
export interface Origin {
  readonly name: string
  readonly pool: Pool
  /** Exchanges begun and not over, waiting ones included. */
  running: number
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
  const evict = (): void => {
    for (const [name, origin] of origins) {
      if (origins.size <= settings.maxOrigins) return
      origins.delete(name)
      // Running exchanges finish; a refusal to close (already closing) leaves nothing to do.
      origin.pool.close().catch(() => {})
    }
  }
  return {
    of: (name) => {
      const known = origins.get(name)
      // Re-inserting keeps the Map in order of use.
      if (known !== undefined) origins.delete(name)
      const origin = known ?? { name, pool: create(name), running: 0 }
      origins.set(name, origin)
      if (known === undefined) evict()
      return origin
    },
    destroy: async () => {
      const all = [...origins.values()]
      origins.clear()
      await Promise.all(all.map((origin) => origin.pool.destroy()))
    },
  }
}
