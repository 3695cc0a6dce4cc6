import type { MessageBytes, OpenSocket } from '../../core/web-socket.ts'

/** More waiting to be sent than this, and the side it comes from is not read further. Bytes. */
const HIGH_WATER_BYTES = 1024 * 1024
/** It is read again when no more than this waits. */
const LOW_WATER_BYTES = 256 * 1024

/** One end of a bridge. */
export interface Side {
  readonly name: 'client' | 'upstream'
  readonly socket: OpenSocket
  isPaused: boolean
  isClosed: boolean
  unanswered: number
  passedOn: number
}

/** An end of which nothing has been heard yet. */
export function sideOf(name: Side['name'], socket: OpenSocket): Side {
  return { name, socket, isPaused: false, isClosed: false, unanswered: 0, passedOn: 0 }
}

/** Reads a side no further. */
export function pause(side: Side): void {
  if (side.isPaused) return
  side.isPaused = true
  side.socket.pause()
}

/** Reads it again. */
export function resume(side: Side): void {
  if (!side.isPaused) return
  side.isPaused = false
  side.socket.resume()
}

/** True where so much waits for it that nobody else is read for its sake. */
export function isFull({ socket }: Side): boolean {
  return socket.bufferedAmount > HIGH_WATER_BYTES
}

/** True where there is room for more again. */
export function hasRoom({ socket }: Side): boolean {
  return socket.bufferedAmount <= LOW_WATER_BYTES
}

/** What came, in one piece. */
export function bytesOf(data: MessageBytes): Buffer {
  if (Buffer.isBuffer(data)) return data
  return data instanceof ArrayBuffer ? Buffer.from(data) : Buffer.concat(data)
}
