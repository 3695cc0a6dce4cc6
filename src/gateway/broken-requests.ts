import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../core/clock.ts'
import { GatewayError } from '../core/failure.ts'
import type { Redact } from '../core/secret.ts'
import { errorAnswer } from './error-answer.ts'

/** What comes over a connection and is no request, or none that ever ends. */
export interface BrokenRequests {
  /** To be told of each request: what breaks behind one that runs must not be answered in the middle of its answer. */
  arrived(request: IncomingMessage, response: ServerResponse): void
  /** Answers what cannot be read, where an answer has a place, and ends the connection. `code` is Node's. */
  refuse(code: string | undefined, socket: Socket): void
}

/**
 * What runs on a connection. An answer that is over is let go: with it goes all of its request, body included, and a
 * client may keep its connection for long without another one.
 */
interface Turn {
  response: ServerResponse | undefined
}

interface RawRefusal {
  readonly status: number
  readonly words: string
  readonly message: string
}

/** How long a client may take to read why; what it still sends is thrown away. Milliseconds. */
const LINGER_MS = 1000

/** Makes it. Bytes that are no HTTP request never reach a route: the answer is written by hand. */
export function createBrokenRequests(clock: Clock, redact: Redact, maxHeaderBytes: number): BrokenRequests {
  const turns = new WeakMap<Socket, Turn>()
  const ending = new WeakSet<Socket>()
  const write = (socket: Socket, text: string): void => {
    socket.end(text)
    // A client that neither reads nor goes away would keep its connection for ever.
    const stop = clock.after(LINGER_MS, () => socket.destroy())
    socket.once('close', stop)
  }
  return {
    arrived: ({ socket }, response) => {
      const known = turns.get(socket)
      const turn: Turn = known ?? { response }
      if (known === undefined) turns.set(socket, turn)
      else turn.response = response
      response.once('close', () => {
        if (turn.response === response) turn.response = undefined
      })
    },
    refuse: (code, socket) => {
      // Whatever follows what could not be read cannot be read either.
      if (ending.has(socket)) return
      ending.add(socket)
      const response = turns.get(socket)?.response
      const isAnswering = response !== undefined && !response.writableFinished
      if (!socket.writable) socket.destroy()
      else if (!isAnswering) write(socket, rawRefusal(code, redact, maxHeaderBytes))
      else if (response.req.complete) endAfter(response, socket)
      // The request itself is broken. Its answer has begun, or another one's is being written.
      else if (response.headersSent || response.socket !== socket) socket.destroy()
      else write(socket, rawRefusal(code, redact, maxHeaderBytes))
    },
  }
}

/** What runs was asked for well and is answered to its end; nobody knows what is asked after it. */
function endAfter(response: ServerResponse, socket: Socket): void {
  if (!response.headersSent) response.shouldKeepAlive = false
  response.once('finish', () => socket.destroySoon())
}

/** By Node's error code. */
function reasonOf(code: string | undefined, maxHeaderBytes: number): RawRefusal {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return {
        status: 431,
        words: 'Request Header Fields Too Large',
        message: `The headers are larger than ${maxHeaderBytes} bytes.`,
      }
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, words: 'Request Timeout', message: 'The request did not arrive in time.' }
    default:
      return { status: 400, words: 'Bad Request', message: 'This is no HTTP/1.1 request.' }
  }
}

function rawRefusal(code: string | undefined, redact: Redact, maxHeaderBytes: number): string {
  const { status, words, message } = reasonOf(code, maxHeaderBytes)
  const error = new GatewayError('bad_request', message, { status, source: 'client' })
  const { headers, body } = errorAnswer(error, redact)
  const lines = Object.entries({
    ...headers,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  })
  return `HTTP/1.1 ${status} ${words}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`
}
