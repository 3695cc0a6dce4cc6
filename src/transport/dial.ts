import type { Agent, IncomingMessage } from 'node:http'
import { WebSocket, type RawData } from 'ws'
import type { Clock } from '../core/clock.ts'
import { GatewayError } from '../core/failure.ts'
import { networkFailure, type Progress } from './network-failure.ts'
import { callerGone, deadlinePassed, flatHeaders } from './stream.ts'
import type { Dialogue, DialRequest, Limits, Transport, WireResponse } from './wire.ts'

/** What a WebSocket runs on. */
export interface DialGround {
  readonly clock: Clock
  readonly userAgent: string
  /** Makes the connection that a WebSocket begins on. */
  readonly agentOf: (url: string) => Agent
  /** Every open socket, so that closing the transport closes them. */
  readonly open: Set<WebSocket>
}

type Dialled = Awaited<ReturnType<Transport['dial']>>

/** How long a peer may take to answer our close, milliseconds. */
const CLOSE_GRACE_MS = 1_000
/** Messages kept while nobody asks for them; past it we stop reading from the socket. */
const MAX_WAITING = 64
/** How much of a refusal is read. */
const MAX_REFUSAL_BYTES = 64 * 1024

/**
 * Opens a WebSocket. One deadline covers the handshake and every `next` after it; no compression, no
 * redirects. An HTTP answer in place of the upgrade is handed back with its body.
 */
export function dial(ground: DialGround, request: DialRequest, limits: Limits): Promise<Dialled> {
  return new Promise((resolve, reject) => {
    if (limits.signal?.aborted === true) {
      reject(callerGone('WebSocket'))
      return
    }
    const socket = connectSocket(ground, request, limits)
    let headers: Readonly<Record<string, string>> = {}
    let upgraded = false
    const mailbox = createMailbox(socket)
    const fail = (error: GatewayError): void => {
      mailbox.fail(error)
      reject(error)
      socket.terminate()
    }
    const abort = (): void => fail(callerGone('WebSocket'))
    const stopTimer = ground.clock.after(limits.timeoutMs, () =>
      fail(deadlinePassed(limits.timeoutMs, 'WebSocket')),
    )
    limits.signal?.addEventListener('abort', abort, { once: true })
    const release = (): void => {
      stopTimer()
      limits.signal?.removeEventListener('abort', abort)
      ground.open.delete(socket)
    }
    socket.on('upgrade', (response) => {
      headers = flatHeaders(response.headers)
      upgraded = true
    })
    socket.on('open', () => resolve({ dialogue: dialogueOver(socket, mailbox, ground.clock), headers }))
    socket.on('unexpected-response', (_, response) => {
      readRefusal(response, (refused) => {
        release()
        resolve({ refused })
        socket.terminate()
      })
    })
    socket.on('error', (error) => fail(socketFailure(error, upgraded ? 'reading the body' : 'connecting')))
    socket.on('close', (code, reason) => {
      release()
      fail(
        new GatewayError(
          'cut',
          `the upstream closed the WebSocket with ${code}${reason.length > 0 ? ` ${reason.toString()}` : ''}`,
        ),
      )
    })
  })
}

/**
 * A socket on its way up, counted among the open ones; `connected` is told when it has its connection. A redirect is
 * not followed: it would carry credentials away.
 */
export function connectSocket(
  ground: DialGround,
  request: DialRequest,
  limits: Limits,
  connected?: () => void,
): WebSocket {
  const socket = new WebSocket(request.url, [...request.protocols], {
    agent: ground.agentOf(request.url),
    headers: { 'user-agent': ground.userAgent, ...request.headers },
    maxPayload: limits.maxBytes,
    perMessageDeflate: false,
    followRedirects: false,
    ...(connected !== undefined && {
      finishRequest: (handshake) => {
        // Our agents hand over sockets that are connected, TLS included.
        handshake.once('socket', connected)
        handshake.end()
      },
    }),
  })
  ground.open.add(socket)
  return socket
}

/** ws marks an oversized or malformed frame by a code of its own. */
export function socketFailure(error: Error, progress: Progress): GatewayError {
  const code = 'code' in error ? String(error.code) : ''
  if (code.startsWith('WS_ERR_') || /^(Invalid|Unexpected|Server sent)/.test(error.message)) {
    return new GatewayError('wrong_shape', `the answer is no WebSocket we accept: ${error.message}`, {
      cause: error,
    })
  }
  return networkFailure(error, progress)
}

/** Keeps messages in order until they are asked for; the first failure is the last word. */
interface Mailbox {
  next(): Promise<string>
  fail(error: GatewayError): void
}

function createMailbox(socket: WebSocket): Mailbox {
  const waiting: string[] = []
  let failure: GatewayError | undefined
  let asked:
    | { readonly resolve: (text: string) => void; readonly reject: (error: GatewayError) => void }
    | undefined
  socket.on('message', (data) => {
    const text = toText(data)
    if (asked === undefined) {
      waiting.push(text)
      if (waiting.length >= MAX_WAITING) socket.pause()
    } else {
      const { resolve } = asked
      asked = undefined
      resolve(text)
    }
  })
  return {
    next: () =>
      new Promise((resolve, reject) => {
        const text = waiting.shift()
        if (text !== undefined) {
          if (socket.isPaused) socket.resume()
          resolve(text)
        } else if (failure === undefined) asked = { resolve, reject }
        else reject(failure)
      }),
    fail: (error) => {
      failure ??= error
      asked?.reject(failure)
      asked = undefined
    },
  }
}

/** Some providers send their JSON in binary frames. */
function toText(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8')
  return (data instanceof ArrayBuffer ? Buffer.from(data) : data).toString('utf8')
}

function dialogueOver(socket: WebSocket, mailbox: Mailbox, clock: Clock): Dialogue {
  return {
    next: () => mailbox.next(),
    send: (text) => socket.send(text),
    close: () => {
      const stop = clock.after(CLOSE_GRACE_MS, () => socket.terminate())
      socket.once('close', stop)
      if (socket.isPaused) socket.resume()
      socket.close(1000)
    },
  }
}

/** Reads an HTTP answer that came in place of the upgrade. */
export function readRefusal(response: IncomingMessage, done: (refused: WireResponse) => void): void {
  const chunks: Buffer[] = []
  let bytes = 0
  const finish = (): void =>
    done({
      status: response.statusCode ?? 0,
      headers: flatHeaders(response.headers),
      body: Buffer.concat(chunks),
    })
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > MAX_REFUSAL_BYTES) response.destroy()
  })
  response.once('close', finish)
}
