import { createServer, type Socket } from 'node:net'
import {
  STREAM_END,
  STREAM_EVENTS,
  STREAM_HEAD,
  STREAM_PAUSE_MS,
  streamEvent,
  wholeAnswer,
} from './messages.ts'

/**
 * The provider behind every contestant: answers prepared bytes over raw sockets, so that as little as possible
 * of what is measured is its own. Run as a process; tells its parent the port.
 */
const HEAD_END = Buffer.from('\r\n\r\n')
const STREAMED = Buffer.from('"stream":true')
const answer = wholeAnswer()
const event = streamEvent()

function serve(socket: Socket): void {
  let held: Buffer = Buffer.alloc(0)
  let missing = 0
  let isStreamed = false
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    if (missing > 0) {
      isStreamed ||= chunk.includes(STREAMED)
      missing -= chunk.length
    } else {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      const headEnd = held.indexOf(HEAD_END)
      if (headEnd === -1) return
      const length = /\r\ncontent-length: *(\d+)/i.exec(held.toString('latin1', 0, headEnd))?.[1] ?? '0'
      missing = headEnd + HEAD_END.length + Number(length) - held.length
      isStreamed = held.includes(STREAMED, headEnd)
      held = Buffer.alloc(0)
    }
    if (missing > 0) return
    if (isStreamed) stream(socket)
    else socket.write(answer)
  })
}

function stream(socket: Socket): void {
  let left = STREAM_EVENTS
  socket.write(STREAM_HEAD)
  const timer = setInterval(() => {
    left--
    socket.write(left === 0 ? STREAM_END : event)
    if (left === 0 || socket.destroyed) clearInterval(timer)
  }, STREAM_PAUSE_MS)
}

const server = createServer(serve).listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port })
})
process.on('disconnect', () => process.exit(0))
