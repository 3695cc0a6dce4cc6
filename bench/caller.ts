import { connect, type Socket } from 'node:net'
import { createAnswerReader } from './answer-reader.ts'

/** One client with one connection, which is made again when it ends. */
export interface Caller {
  /** Sends a request; only between `ready` and the next answer. */
  ask(request: Buffer): void
  close(): void
}

/** What becomes of it. */
export interface CallerEvents {
  /** It can be asked: connected, or connected again, or its last answer is whole. */
  ready(): void
  /** Called before the `ready` that follows from it. */
  answered(status: number, head: string): void
  /** The connection ended with a request on it. */
  broke(): void
}

/** So that a port where nobody listens does not keep the generator busy. */
const RECONNECT_MS = 5

/** Opens it. A connection that ends between two requests is made again unnoticed. */
export function openCaller(port: number, events: CallerEvents): Caller {
  let socket: Socket | undefined
  let isReady = false
  let isAsked = false
  let isClosed = false
  /** Asked while there was no connection. */
  let waiting: Buffer | undefined
  const announce = (): void => {
    if (isReady || isClosed) return
    isReady = true
    events.ready()
  }
  const send = (own: Socket, request: Buffer): void => {
    isAsked = true
    own.write(request)
  }
  const open = (): void => {
    if (isClosed) return
    const own = connect({ port, host: '127.0.0.1', noDelay: true })
    let isLast = false
    const read = createAnswerReader((status, head) => {
      isAsked = false
      isLast = /\r\nconnection: *close/i.test(head)
      events.answered(status, head)
      if (!isLast) return announce()
      socket = undefined
      own.destroy()
    })
    own.on('data', read)
    own.on('error', () => {})
    own.on('connect', () => {
      if (isClosed) return own.destroy()
      socket = own
      const request = waiting
      waiting = undefined
      return request === undefined ? announce() : send(own, request)
    })
    own.on('close', () => {
      if (isClosed) return
      socket = undefined
      if (isAsked) events.broke()
      isAsked = false
      if (isLast) open()
      else setTimeout(open, RECONNECT_MS)
    })
  }
  open()
  return {
    ask: (request) => {
      isReady = false
      if (socket === undefined) waiting = request
      else send(socket, request)
    },
    close: () => {
      isClosed = true
      socket?.destroy()
    },
  }
}
