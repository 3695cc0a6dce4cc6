import { ServerResponse, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { WebSocketServer } from 'ws'
import { GatewayError } from '../core/failure.ts'
import { MAX_SOCKET_MESSAGE_BYTES, type OpenSocket } from '../core/web-socket.ts'
import type { Routing } from './door.ts'

/** A client that asked for a WebSocket and waits for the answer. */
export interface WaitingClient {
  /** Aborted when the client went away before it was answered. */
  readonly gone: AbortSignal
  /**
   * Completes the upgrade with these headers and subprotocol; undefined where the client is gone. The socket is open,
   * and reads its first message after the caller's turn.
   */
  accept(headers: Readonly<Record<string, string>>, protocol: string | undefined): OpenSocket | undefined
}

/** The WebSocket side of an HTTP server: upgrades meet the same routes, hooks and refusals as other requests. */
export interface Upgrades {
  /** To be called once, before the server listens. */
  attach(app: FastifyInstance, route: Routing): void
  /** The client behind a request; undefined where it asked for no WebSocket. */
  waiting(request: IncomingMessage): WaitingClient | undefined
}

interface Answer {
  readonly lines: readonly string[]
  readonly protocol: string | undefined
}

/** True where a request asks for a WebSocket; only then does the server hand its connection over. */
export function wantsWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.trim().toLowerCase() === 'websocket'
}

/** Makes it. No compression: what passes is audio, or short. */
export function createUpgrades(): Upgrades {
  const clients = new WeakMap<IncomingMessage, WaitingClient>()
  const answers = new WeakMap<IncomingMessage, Answer>()
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_SOCKET_MESSAGE_BYTES,
    handleProtocols: (_, request) => answers.get(request)?.protocol ?? false,
  })
  server.on('headers', (lines, request) => lines.push(...(answers.get(request)?.lines ?? [])))
  const complete = (request: IncomingMessage, socket: Duplex, head: Buffer, answer: Answer) => {
    let opened: OpenSocket | undefined
    answers.set(request, answer)
    server.handleUpgrade(request, socket, head, (client) => {
      opened = client
    })
    return opened
  }
  return {
    attach: (app, route) =>
      void app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        // Whatever breaks, `close` follows and says enough.
        socket.on('error', () => {})
        const response = responseOver(request, socket)
        if (response === undefined) return
        clients.set(request, waitingClient(request, socket, head, complete))
        route(request, response)
      }),
    waiting: (request) => clients.get(request),
  }
}

/** An answer over HTTP to an upgrade; it ends the connection, for the server's parser has let go of it. */
function responseOver(request: IncomingMessage, socket: Duplex): ServerResponse | undefined {
  // Servers that cannot be told to leave other upgrades alone bring them here, without their bodies.
  if (!wantsWebSocket(request)) {
    socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    return undefined
  }
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(request.socket)
  response.once('finish', () => request.socket.destroySoon())
  return response
}

type Complete = (
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  answer: Answer,
) => OpenSocket | undefined

/** Reads along while it waits, or a client that hangs up would go unnoticed; what comes too early is kept. */
function waitingClient(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  complete: Complete,
): WaitingClient {
  const left = new AbortController()
  const early: Buffer[] = [head]
  const keep = (chunk: Buffer): void => {
    early.push(chunk)
    socket.pause()
  }
  const leave = (): void =>
    left.abort(new GatewayError('cancelled', 'the client went away', { source: 'client' }))
  socket.on('data', keep).once('end', leave).once('close', leave)
  return {
    gone: left.signal,
    accept: (headers, protocol) => {
      if (left.signal.aborted || !socket.writable) return undefined
      socket.off('data', keep).off('end', leave).off('close', leave)
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
      const opened = complete(request, socket, Buffer.concat(early), { lines, protocol })
      socket.resume()
      return opened
    },
  }
}
