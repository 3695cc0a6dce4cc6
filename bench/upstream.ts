import { createServer, type Socket } from 'node:net'
import { CLOSE, createFrameReader, frameBytes, pongTo, upgradeAnswer } from './frames.ts'
import {
  anthropicStream,
  embeddingAnswer,
  errorAnswer,
  MARKS,
  openaiStream,
  STREAM_EVENTS,
  STREAM_PAUSE_MS,
  wholeAnswer,
  type StreamWords,
} from './messages.ts'

/**
 * The provider behind every contestant: answers prepared bytes over raw sockets, so that as little as possible
 * of what is measured is its own. Run as a process; tells its parent the port.
 */
const HEAD_END = Buffer.from('\r\n\r\n')
/** Marks are looked for in bodies up to this size. */
const MARKED_BYTES = 4096
/** So that it can be seen whether a key that a provider repeats reaches the client. */
const KEY_REFUSED = (key: string): string => `Incorrect request. Your key was ${key}.`
const answer = wholeAnswer()
const vector = embeddingAnswer()
const sick = errorAnswer('500 Internal Server Error', 'The server had an error.')
const events = openaiStream()
const otherEvents = anthropicStream()

/** What is to be answered, read from the pieces of a request. */
interface Asked {
  readonly head: string
  readonly isShort: boolean
  mark: keyof typeof MARKS | undefined
}

function serve(socket: Socket): void {
  let held: Buffer = Buffer.alloc(0)
  let missing = 0
  let asked: Asked | undefined
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  const read = (chunk: Buffer): void => {
    if (asked !== undefined) {
      missing -= chunk.length
      look(asked, chunk)
    } else {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      const headEnd = held.indexOf(HEAD_END)
      if (headEnd === -1) return
      const head = held.toString('latin1', 0, headEnd)
      const body = held.subarray(headEnd + HEAD_END.length)
      if (/\r\nupgrade: *websocket/i.test(head)) {
        socket.off('data', read)
        echo(socket, head, body)
        return
      }
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? '0')
      missing = length - body.length
      asked = { head, isShort: length <= MARKED_BYTES, mark: undefined }
      look(asked, body)
      held = Buffer.alloc(0)
    }
    if (missing > 0) return
    respond(socket, asked)
    asked = undefined
  }
  socket.on('data', read)
}

function look(asked: Asked, piece: Buffer): void {
  if (!asked.isShort) return
  if (piece.includes(MARKS.stream)) asked.mark = 'stream'
  else if (piece.includes(MARKS.refused)) asked.mark = 'refused'
  else if (piece.includes(MARKS.sick)) asked.mark = 'sick'
}

function respond(socket: Socket, { head, mark }: Asked): void {
  if (mark === 'stream') stream(socket, head.startsWith('POST /v1/messages') ? otherEvents : events)
  else if (mark === 'sick') socket.write(sick)
  else if (mark === 'refused') socket.write(errorAnswer('400 Bad Request', KEY_REFUSED(keyIn(head))))
  else socket.write(head.startsWith('POST /v1/embeddings') ? vector : answer)
}

function keyIn(head: string): string {
  return /\r\nauthorization: *Bearer (\S+)/i.exec(head)?.[1] ?? 'missing'
}

function stream(socket: Socket, { head, event, end }: StreamWords): void {
  let left = STREAM_EVENTS
  socket.write(head)
  const timer = setInterval(() => {
    if (socket.destroyed) return clearInterval(timer)
    left--
    socket.write(left === 0 ? end : event)
    if (left === 0) clearInterval(timer)
  }, STREAM_PAUSE_MS)
}

/** A realtime session that says back whatever it is told. */
function echo(socket: Socket, head: string, early: Buffer): void {
  const read = createFrameReader((frame) => {
    const pong = pongTo(frame, false)
    socket.write(pong ?? frameBytes(frame, false))
    if (frame.opcode === CLOSE) socket.end()
  })
  socket.write(upgradeAnswer(head))
  socket.on('data', read)
  if (early.length > 0) read(early)
}

const server = createServer(serve).listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port })
})
process.on('disconnect', () => process.exit(0))
