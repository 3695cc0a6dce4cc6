import type { WebSocket } from 'ws'
import { systemClock, type Clock } from '../core/clock.ts'
import { GatewayError } from '../core/failure.ts'
import { createAgentOf } from './agents.ts'
import { createConnector } from './connect.ts'
import { dial } from './dial.ts'
import type { Trust } from './encrypt.ts'
import { networkFailure } from './network-failure.ts'
import { createPools, type PoolSettings } from './pools.ts'
import { createReach } from './reach.ts'
import { createProxyOf } from './proxies.ts'
import { collect } from './send.ts'
import { openSocket } from './open-socket.ts'
import { openStream } from './stream.ts'
import type { Transport } from './wire.ts'

/** What a transport may be told; everything has a default. */
export interface TransportOptions extends Partial<PoolSettings> {
  readonly clock?: Clock
  /** Sent where a request names none. */
  readonly userAgent?: string
  /** Patience for TCP, tunnel and TLS set-up, milliseconds. Default 3,000. */
  readonly connectTimeoutMs?: number
  /** Whose certificates are accepted. Default: those of Node's list of authorities. */
  readonly trust?: Trust
  /** Where HTTPS_PROXY and its kin are read. Default: nowhere, so no proxy. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Exchanges at once with one origin, waiting ones included; more are refused as `throttled`. Default 10,000. */
  readonly maxRunning?: number
}

/** The network: pooled keep-alive HTTP/1.1 by undici, WebSockets by ws. */
export function createTransport(options: TransportOptions = {}): Transport {
  const clock = options.clock ?? systemClock
  const userAgent = options.userAgent ?? 'pulsegate'
  const maxRunning = options.maxRunning ?? 10_000
  const open = new Set<WebSocket>()
  const proxyOf = createProxyOf(options.env ?? {})
  const connector = createConnector({
    clock,
    connectTimeoutMs: options.connectTimeoutMs ?? 3_000,
    trust: options.trust ?? { isVerified: true },
    proxyOf,
  })
  const pools = createPools(
    {
      maxOrigins: options.maxOrigins ?? 1_000,
      maxConnections: options.maxConnections ?? 10_000,
      maxAgeMs: options.maxAgeMs ?? 300_000,
    },
    { connector, proxyOf, elapsed: () => clock.elapsed() },
  )
  const dialGround = { clock, userAgent, open, agentOf: createAgentOf(connector) }
  const stream: Transport['stream'] = (request, limits, sink) => {
    try {
      const origin = pools.of(originOf(request.url))
      if (origin.running < maxRunning)
        return openStream({ clock, origin, userAgent }, { request, limits, sink })
      throw new GatewayError('throttled', `${origin.running} requests already run at ${origin.name}`, {
        source: 'gateway',
      })
    } catch (error) {
      const failure = networkFailure(error, 'connecting')
      queueMicrotask(() => sink.fail(failure))
      return { resume: () => {}, cancel: () => {} }
    }
  }
  return {
    stream,
    send: (request, limits) => collect(stream, request, limits),
    dial: (request, limits) => dial(dialGround, request, limits),
    openSocket: (request, limits) => openSocket(dialGround, request, limits),
    reach: createReach(connector, proxyOf),
    close: async () => {
      for (const socket of open) socket.terminate()
      open.clear()
      connector.close()
      await pools.destroy()
    },
  }
}

/** `scheme://host:port` of an absolute URL, by search: parsing a URL costs more than sending it. */
function originOf(url: string): string {
  const scheme = url.indexOf('://')
  for (let at = scheme + 3; at < url.length; at += 1) {
    const char = url[at]
    if (char === '/' || char === '?' || char === '#') return url.slice(0, at)
  }
  return url
}
