import { Client, Pool, type Dispatcher } from 'undici'
import type { Connector } from './connect.ts'
import { unbracketed, type Destination, type ProxyOf } from './proxies.ts'

/** One `scheme://host:port` and what runs on it. */
export interface Origin {
  readonly name: string
  readonly pool: Pool
  /** Set where a proxy is asked by absolute URLs: headers that are for it. */
  readonly forward: ProxyHeaders | undefined
  /** Exchanges begun and not over, waiting ones included. */
  running: number
  /** A number that grows with every use of any origin. */
  lastUse: number
  /** Dispatches on a connection made for this exchange alone. */
  readonly fresh: (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => void
}

type ProxyHeaders = Readonly<Record<string, string>>

/** The connection that an exchange runs on. */
export interface Slot {
  /** Exchanges that ended well on it. */
  answers: number
}

/** A handler that is told of its connection before its request starts. */
export interface SlotHandler extends Dispatcher.DispatchHandler {
  slot: Slot | undefined
}

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
  /** Connections an origin, and so exchanges at once: a stream holds its own. Default 1,024. */
  readonly maxConnections: number
  /** Connections older than this take no new exchange, so that a changed address is followed. Default 300,000. */
  readonly maxAgeMs: number
}

/** What pools are made with. */
export interface PoolDeps {
  readonly connector: Connector
  readonly proxyOf: ProxyOf
}

/** undici's own default header limit (16 KiB) is less than some content-security policies. */
const MAX_HEADER_BYTES = 64 * 1024

/** Keeps the pools. Deadlines are the exchange's: undici's 300 s defaults are off. */
export function createPools(settings: PoolSettings, { connector, proxyOf }: PoolDeps): Pools {
  const origins = new Map<string, Origin>()
  const extra = new Set<Client>()
  const create = (name: string): Origin => {
    const forward = forwardHeaders(name, proxyOf)
    const options = clientOptions(connector, forward !== undefined)
    const pool = new Pool(name, {
      connections: settings.maxConnections,
      clientTtl: settings.maxAgeMs,
      connect: options.connect,
      allowH2: false,
      factory: (url) => createSlotClient(new Client(url, options)),
    })
    const fresh: Origin['fresh'] = (request, handler) => {
      const client = new Client(name, options)
      extra.add(client)
      client.dispatch({ ...request, reset: true }, handler)
      // Waits for the exchange. A client that was destroyed meanwhile refuses to close, and is gone as well.
      const forget = (): void => void extra.delete(client)
      client.close().then(forget, forget)
    }
    return { name, pool, forward, running: 0, lastUse: 0, fresh }
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
      const origin = create(name)
      origin.lastUse = uses
      origins.set(name, origin)
      evict()
      return origin
    },
    destroy: async () => {
      const all = [...Array.from(origins.values(), ({ pool }) => pool), ...extra]
      origins.clear()
      extra.clear()
      await Promise.all(all.map((each) => each.destroy()))
    },
  }
}

type ClientOptions = NonNullable<ConstructorParameters<typeof Client>[1]>

function clientOptions(
  connector: Connector,
  isForwarded: boolean,
): ClientOptions & { readonly connect: NonNullable<ClientOptions['connect']> } {
  return {
    pipelining: 1,
    // One stream a connection keeps a stalled stream from holding up its neighbours.
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: MAX_HEADER_BYTES,
    connect: ({ protocol, hostname, port, servername }, done) => {
      const to = { ...destination(protocol, hostname, port), isForwarded }
      connector.connect(servername ? { ...to, servername } : to, (error, socket) => {
        if (socket === null) done(error ?? new Error('no connection'), null)
        else done(null, socket)
      })
    },
  }
}

/** Lets handlers know what their connection has done before: undici does not say. */
function createSlotClient(client: Client): Client {
  const slot: Slot = { answers: 0 }
  const startAnew = (): void => {
    slot.answers = 0
  }
  client.on('connect', startAnew).on('disconnect', startAnew)
  const dispatch = client.dispatch.bind(client)
  client.dispatch = (options, handler) => {
    if ('slot' in handler) handler.slot = slot
    return dispatch(options, handler)
  }
  return client
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
