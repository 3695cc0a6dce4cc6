import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { GatewayError, type FailureKind } from '../core/failure.ts'
import { createTransport } from './transport.ts'
import type { Limits, Transport, WireRequest } from './wire.ts'

/** For tests: patient enough. */
export const LIMITS: Limits = { timeoutMs: 5_000, maxBytes: 1_000 }

/** For tests: a server, and a transport to ask it with. */
export interface Bench {
  readonly url: string
  readonly transport: Transport
}

/** For tests: both are gone when `run` is over. */
export async function withServer<T>(
  server: Server,
  transport: Transport,
  run: (bench: Bench) => Promise<T>,
): Promise<T> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  try {
    return await run({ url: `http://127.0.0.1:${address.port}`, transport })
  } finally {
    await transport.close()
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
}

/** For tests: an HTTP server. */
export const http = (listener: RequestListener, run: (bench: Bench) => Promise<void>): Promise<void> =>
  withServer(createServer(listener), createTransport(), run)

/** For tests: a server of sockets. */
export const tcp = (
  onSocket: (socket: Socket) => void,
  run: (bench: Bench) => Promise<void>,
): Promise<void> => withServer(createTcpServer(onSocket), createTransport(), run)

export const get = (url: string): WireRequest => ({ method: 'GET', url, headers: {} })

/** For tests: what it rejects with. */
export function failsAs(promise: Promise<unknown>, kind: FailureKind, words: RegExp): Promise<void> {
  return assert.rejects(promise, (error) => {
    assert.ok(error instanceof GatewayError)
    assert.equal(error.kind, kind, error.message)
    assert.match(error.message, words)
    return true
  })
}
