import type { Client } from 'undici'
import type { Connector } from './connect.ts'
import { createConnections, type Connections } from './connections.ts'
import { unbracketed, type Destination, type ProxyOf } from './proxies.ts'

/** One `scheme://host:port` and what runs on it. */
export interface Origin {
  readonly name: string
  readonly connections: Connections
  /** Set where a proxy is asked by absolute URLs: headers that are for it. */
  readonly forward: ProxyHeaders | undefined
  /** Exchanges begun and not over, waiting ones included. */
  running: number
  /** A number that grows with every use of any origin. */
  lastUse: number
}

type ProxyHeaders = Readonly<Record<string, string>>

/** Connection pools, one an origin, the least recently used closed first. */
export interface Pools {
  /**
   * @throws TypeError where the name is no origin
   * @throws GatewayError misconfigured where its proxy is no address
   */
  of(name: string): Origin
  /** Ends every connection, running exchanges included. */
  destroy(): Promise<void>
}

/** How connections are kept. */
export interface PoolSettings {
  /** Origins kept at once. Default 1,000. */
  readonly maxOrigins: number
  /** Connections an origin, and so exchanges at once: a stream holds its own. Default 10,000. */
  readonly maxConnections: number
  /** Connections older than this take no new exchange, so that a changed address is followed. Default 300,000. */
  readonly maxAgeMs: number
}

/** What pools are made with. */
export interface PoolDeps {
  readonly connector: Connector
  readonly proxyOf: ProxyOf
  readonly elapsed: () => number
}

/** undici's own default header limit (16 KiB) is less than some content-security policies. */
const MAX_HEADER_BYTES = 64 * 1024

/** Keeps the pools. Deadlines are the exchange's: undici's 300 s defaults are off. */
export function createPools(settings: PoolSettings, { connector, proxyOf, elapsed }: PoolDeps): Pools {
  const { maxConnections, maxAgeMs } = settings
  const origins = new Map<string, Origin>()
  const create = (name: string): Origin => {
    const forward = forwardHeaders(name, proxyOf)
    const client = clientOptions(connector, forward !== undefined)
    const connections = createConnections({ origin: name, client, maxConnections, maxAgeMs, elapsed })
    return { name, connections, forward, running: 0, lastUse: uses }
  }
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
      oldest.connections.close()
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
      const origin = create(name)
      origins.set(name, origin)
      evict()
      return origin
    },
    destroy: async () => {
      const all = [...origins.values()]
      origins.clear()
      await Promise.all(all.map(({ connections }) => connections.destroy()))
    },
  }
}

function clientOptions(connector: Connector, isForwarded: boolean): Client.Options {
  return {
    pipelining: 1,
    // One stream a connection keeps a stalled stream from holding up its neighbours.
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: MAX_HEADER_BYTES,
    connect: ({ protocol, hostname, port, servername }, done) => {
      const to = { ...destination(protocol, hostname, port), isForwarded, isPulled: true }
      connector.connect(servername ? { ...to, servername } : to, (error, socket) => {
        if (socket === null) done(error ?? new Error('no connection'), null)
        else done(null, socket)
      })
    },
  }
}

/** A plain-HTTP origin behind a proxy is asked by absolute URLs; one of https by a tunnel that nobody here sees. */
function forwardHeaders(name: string, proxyOf: ProxyOf): ProxyHeaders | undefined {
  const { protocol, hostname, port } = new URL(name)
  if (protocol !== 'http:') return undefined
  const proxy = proxyOf(destination(protocol, hostname, port))
  if (proxy === undefined) return undefined
  return proxy.authorization === undefined ? {} : { 'proxy-authorization': proxy.authorization.reveal() }
}

/** A URL's parts as a place to connect to. */
export function destination(protocol: string, hostname: string, port: string): Destination {
  const isSecure = protocol === 'https:' || protocol === 'wss:'
  return { isSecure, host: unbracketed(hostname), port: port === '' ? (isSecure ? 443 : 80) : Number(port) }
}
