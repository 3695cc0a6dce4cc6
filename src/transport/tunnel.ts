import { isIPv6, type Socket } from 'node:net'
import { GatewayError } from '../core/failure.ts'
import type { Destination, Proxy } from './proxies.ts'

/** A proxy's answer is a status line and few headers. */
const MAX_ANSWER_BYTES = 16 * 1024
const HEAD_END = '\r\n\r\n'

/**
 * Asks a proxy, over an open connection to it, for a tunnel (RFC 9110 §9.3.6). Afterwards the socket carries the
 * destination's bytes, and is not flowing.
 * @throws GatewayError unreachable, unsent, where the proxy refuses or goes away
 */
export function openTunnel(socket: Socket, proxy: Proxy, { host, port }: Destination): Promise<void> {
  const authority = `${isIPv6(host) ? `[${host}]` : host}:${port}`
  const credentials = proxy.authorization?.reveal()
  const authorization = credentials === undefined ? '' : `Proxy-Authorization: ${credentials}\r\n`
  return new Promise((resolve, reject) => {
    let held = Buffer.alloc(0)
    const read = (): void => {
      const chunk: unknown = socket.read()
      if (!(chunk instanceof Buffer)) return
      held = Buffer.concat([held, chunk])
      const end = held.indexOf(HEAD_END)
      if (end === -1 && held.length < MAX_ANSWER_BYTES) return
      socket.off('readable', read).off('close', broke)
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(held.toString('latin1', 0, MAX_ANSWER_BYTES))?.[1]
      if (end === -1 || status?.startsWith('2') !== true) {
        reject(refused(proxy, `answered CONNECT ${authority} with ${status ?? 'no HTTP'}`))
        return
      }
      const rest = held.subarray(end + HEAD_END.length)
      if (rest.length > 0) socket.unshift(rest)
      resolve()
    }
    const broke = (): void => reject(refused(proxy, `closed the connection at CONNECT ${authority}`))
    socket.on('readable', read).once('close', broke).once('error', reject)
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${authorization}\r\n`)
  })
}

function refused(proxy: Proxy, what: string): GatewayError {
  const message = `the proxy ${proxy.host}:${proxy.port} ${what} (connecting)`
  return new GatewayError('unreachable', message, { isUnsent: true })
}
