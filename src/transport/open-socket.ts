import { GatewayError } from '../core/failure.ts'
import { connectSocket, readRefusal, socketFailure, type DialGround } from './dial.ts'
import { noConnection } from './network-failure.ts'
import { callerGone, deadlinePassed, flatHeaders } from './stream.ts'
import type { DialRequest, Limits, Transport } from './wire.ts'

type Opened = Awaited<ReturnType<Transport['openSocket']>>

/**
 * Opens a WebSocket that is to be relayed: paused, so that no message is lost before its reader is there. The
 * deadline and the signal cover the handshake only; whoever gets the socket owns it. An HTTP answer in place of the
 * upgrade is handed back with its body.
 */
export function openSocket(ground: DialGround, request: DialRequest, limits: Limits): Promise<Opened> {
  return new Promise((resolve, reject) => {
    if (limits.signal?.aborted === true) {
      reject(callerGone('WebSocket'))
      return
    }
    const socket = connectSocket(ground, request, limits, () => stopConnecting())
    let headers: Readonly<Record<string, string>> = {}
    const release = (): void => {
      stopTimer()
      stopConnecting()
      limits.signal?.removeEventListener('abort', abort)
    }
    const fail = (error: GatewayError): void => {
      release()
      reject(error)
    }
    const giveUp = (error: GatewayError): void => {
      fail(error)
      socket.terminate()
    }
    const abort = (): void => giveUp(callerGone('WebSocket'))
    const stopTimer = ground.clock.after(limits.timeoutMs, () =>
      giveUp(deadlinePassed(limits.timeoutMs, 'WebSocket')),
    )
    const connectMs = limits.connectTimeoutMs?.()
    const stopConnecting =
      connectMs === undefined
        ? (): void => {}
        : ground.clock.after(connectMs, () => giveUp(noConnection(connectMs)))
    limits.signal?.addEventListener('abort', abort, { once: true })
    socket.on('upgrade', (response) => {
      headers = flatHeaders(response.headers)
    })
    socket.on('open', () => {
      release()
      socket.pause()
      resolve({ socket, headers })
    })
    socket.on('unexpected-response', (_, response) =>
      readRefusal(response, (refused) => {
        release()
        resolve({ refused })
        socket.terminate()
      }),
    )
    socket.on('error', (error) => fail(socketFailure(error, 'connecting')))
    socket.on('close', () => {
      ground.open.delete(socket)
      fail(new GatewayError('unreachable', 'the connection closed before the WebSocket was open'))
    })
  })
}
