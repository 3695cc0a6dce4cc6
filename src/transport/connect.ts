import { connect as connectTcp, type OnReadOpts, type Socket } from 'node:net'
import type { Clock } from '../core/clock.ts'
import { asGatewayError, GatewayError } from '../core/failure.ts'
import { createCorked } from './corked.ts'
import { createEncrypt, type Encrypt, type Trust } from './encrypt.ts'
import { noConnection } from './network-failure.ts'
import type { Destination, ProxyOf } from './proxies.ts'
import { createPulled } from './pulled.ts'
import { openTunnel } from './tunnel.ts'

/** How connections are made. */
export interface ConnectSettings {
  readonly clock: Clock
  /** Patience for all of it: TCP, the proxy's tunnel, TLS. Milliseconds. */
  readonly connectTimeoutMs: number
  readonly trust: Trust
  readonly proxyOf: ProxyOf
}

/** What is to be connected to. */
export interface ConnectRequest extends Destination {
  /** The name that the certificate must carry; absent: `host`. */
  readonly servername?: string
  /** Only as far as the proxy, where there is one: it is asked by absolute URLs. */
  readonly isForwarded?: boolean
  /** Whoever gets the socket reads it as `pulled.ts` says. */
  readonly isPulled?: boolean
}

/** Told once. */
export type Connected = (error: Error | null, socket: Socket | null) => void

/** Makes connections: TCP or TLS, straight or through a proxy. */
export interface Connector {
  connect(to: ConnectRequest, done: Connected): void
  /** Gives up what is still connecting, and connects nobody any more. */
  close(): void
}

const TCP_KEEP_ALIVE_MS = 60_000

/** One for HTTP and WebSockets alike. */
export function createConnector(settings: ConnectSettings): Connector {
  const { clock, connectTimeoutMs, proxyOf } = settings
  const ways: Ways = {
    proxyOf,
    encrypt: createEncrypt(settings.trust),
    pulled: createPulled(),
    corked: createCorked(),
  }
  const connecting = new Set<Attempt>()
  let isClosed = false
  return {
    connect: (to, done) => {
      if (isClosed) {
        done(new GatewayError('cancelled', 'the gateway is shutting down', { source: 'gateway' }), null)
        return
      }
      const attempt: Attempt = { socket: undefined }
      connecting.add(attempt)
      const stopTimer = clock.after(connectTimeoutMs, () =>
        attempt.socket?.destroy(noConnection(connectTimeoutMs)),
      )
      const finish = (): void => {
        stopTimer()
        connecting.delete(attempt)
      }
      open(attempt, to, ways).then(
        (socket) => {
          finish()
          done(null, socket)
        },
        (error: unknown) => {
          finish()
          attempt.socket?.destroy()
          done(error instanceof Error ? error : asGatewayError(error), null)
        },
      )
    },
    close: () => {
      isClosed = true
      for (const { socket } of connecting) socket?.destroy()
    },
  }
}

/** A connection on its way up. */
interface Attempt {
  /** Its newest layer. */
  socket: Socket | undefined
}

/** What a connection is made with. */
interface Ways {
  readonly proxyOf: ProxyOf
  readonly encrypt: Encrypt
  readonly pulled: ReturnType<typeof createPulled>
  readonly corked: ReturnType<typeof createCorked>
}

async function open(attempt: Attempt, to: ConnectRequest, ways: Ways): Promise<Socket> {
  const { proxyOf, encrypt, pulled, corked } = ways
  const proxy = proxyOf(to)
  if (proxy === undefined && to.isPulled === true) {
    const socket = pulled((onread) => (to.isSecure ? encrypt(onread, to) : openTcp(to, onread)))
    return ready(attempt, corked(lively(socket)), to.isSecure ? 'secureConnect' : 'connect')
  }
  let socket = await ready(attempt, lively(openTcp(proxy ?? to)), 'connect')
  if (proxy !== undefined) {
    if (proxy.isSecure) socket = await ready(attempt, encrypt(socket, proxy), 'secureConnect')
    if (to.isForwarded === true) return socket
    await openTunnel(socket, proxy, to)
  }
  return to.isSecure ? ready(attempt, encrypt(socket, to), 'secureConnect') : socket
}

function openTcp({ host, port }: Pick<Destination, 'host' | 'port'>, onread?: OnReadOpts): Socket {
  return connectTcp(onread === undefined ? { host, port } : { host, port, onread })
}

function lively(socket: Socket): Socket {
  return socket.setNoDelay(true).setKeepAlive(true, TCP_KEEP_ALIVE_MS)
}

function ready(attempt: Attempt, socket: Socket, event: 'connect' | 'secureConnect'): Promise<Socket> {
  attempt.socket = socket
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve(socket))
    // It stays: an error on the way from our hands into the next ones must not end the process.
    socket.on('error', reject)
    socket.once('close', () => reject(new GatewayError('unreachable', 'the connection was closed', UNSENT)))
  })
}

const UNSENT = { isUnsent: true }
