import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { WebSocketServer } from 'ws'
import type { RawData, WebSocket } from 'ws'
import type { Clock } from '../core/clock.ts'
import { replies } from './realtime.ts'
import type { Step } from './realtime-step.ts'

/** The open realtime sockets. */
export interface Sessions {
  /** Ends this socket with `closeAll`, whatever becomes of it. */
  hold(socket: Socket): void
  /** Upgrades and plays the steps; `heard` gets each message of the client. */
  open(
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
    steps: readonly Step[],
    heard: (text: string) => void,
  ): void
  closeAll(): void
}

const MAX_MESSAGE_BYTES = 16 * 1024 * 1024

/** Makes the WebSocket side of the server. */
export function createSessions(clock: Clock): Sessions {
  const sockets = new Set<Socket>()
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: chooseProtocol,
  })
  return {
    hold: (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    },
    open: (request, socket, head, steps, heard) =>
      server.handleUpgrade(request, socket, head, (client) => {
        client.on('error', () => {}) // A broken frame: `ws` closes the connection by itself.
        client.on('message', (data) => heard(text(data)))
        play(client, steps, clock)
      }),
    closeAll: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** `realtime` where it is offered; never the subprotocol that carries a key, unless it is the only one. */
function chooseProtocol(offered: Set<string>): string | false {
  if (offered.has('realtime')) return 'realtime'
  const names = [...offered]
  return names.find((name) => !name.startsWith('openai-insecure-api-key.')) ?? names[0] ?? false
}

function play(client: WebSocket, steps: readonly Step[], clock: Clock): void {
  const [step, ...rest] = steps
  switch (step?.kind) {
    case undefined:
      return
    case 'send':
      client.send(step.data)
      break
    case 'ping':
      client.ping()
      break
    case 'close':
      client.close(step.code, step.reason)
      return
    case 'break':
      client.terminate()
      return
    case 'listen':
      client.on('message', (data) => {
        for (const reply of replies(text(data))) client.send(reply)
      })
      break
    case 'hear':
      client.once('message', (data) => play(client, [...step.answer(text(data)), ...rest], clock))
      return
    case 'converse':
      client.on('message', (data) => play(client, step.answer(text(data)), clock))
      break
    case 'note':
      step.note()
      break
    case 'wait': {
      const cancel = clock.after(step.ms, () => play(client, rest, clock))
      client.once('close', cancel)
      return
    }
  }
  play(client, rest, clock)
}

function text(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8')
  return Buffer.isBuffer(data) ? data.toString('utf8') : Buffer.from(data).toString('utf8')
}
