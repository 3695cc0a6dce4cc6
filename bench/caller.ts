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

/** Opens it. */
export function openCaller(port: number, events: CallerEvents): Caller {
  let socket: Socket | undefined
  let isAsked = false
  let isClosed = false
  const open = (): void => {
    if (isClosed) return
    const own = connect({ port, host: '127.0.0.1', noDelay: true })
    let isLast = false
    socket = own
    const read = createAnswerReader((status, head) => {
      isAsked = false
      isLast = /\r\nconnection: *close/i.test(head)
      events.answered(status, head)
      if (isLast) own.destroy()
      else if (!isClosed) events.ready()
    })
    own.on('data', read)
    own.on('connect', () => events.ready())
    own.on('error', () => {})
    own.on('close', () => {
      if (isClosed) return
      if (isAsked) events.broke()
      isAsked = false
      if (isLast) open()
      else setTimeout(open, RECONNECT_MS)
    })
  }
  open()
  return {
    ask: (request) => {
      isAsked = true
      socket?.write(request)
    },
    close: () => {
      isClosed = true
      socket?.destroy()
    },
  }
}
