import type { Socket } from 'node:net'
import { atTurnEnd } from '../core/turn-end.ts'

/**
 * Has sockets keep what is written to them while they are corked, as undici does with each request, to the end of the
 * turn: requests to many upstreams, or to one on many connections, leave together.
 */
export function createCorked(): (socket: Socket) => Socket {
  const release = atTurnEnd()
  return (socket) => {
    let isHeld = false
    const cork = socket.cork.bind(socket)
    const uncork = (): void => {
      isHeld = false
      socket.uncork()
    }
    socket.cork = () => {
      cork()
      if (isHeld) return
      isHeld = true
      // Once more, so that it needs both of us.
      cork()
      release(uncork)
    }
    return socket
  }
}
