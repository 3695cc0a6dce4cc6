import { createHash } from 'node:crypto'

/** One WebSocket frame (RFC 6455 §5.2) whose payload is unmasked already. */
export interface Frame {
  readonly opcode: number
  readonly payload: Buffer
}

export const TEXT = 1
export const CLOSE = 8
const PING = 9
const PONG = 10

/**
 * A whole frame as bytes. A client's is masked; with a key of zeros, which changes nothing, so that the generator
 * spends no time on it.
 */
export function frameBytes({ opcode, payload }: Frame, isMasked: boolean): Buffer {
  const mask = isMasked ? 0x80 : 0
  const size = payload.length
  if (size > 0xffff) throw new Error('frames of the bench are short')
  const length = size < 126 ? [mask | size] : [mask | 126, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.from([0x80 | opcode, ...length, ...(isMasked ? [0, 0, 0, 0] : [])]), payload])
}

/** The answer to a ping, undefined to anything else. */
export function pongTo({ opcode, payload }: Frame, isMasked: boolean): Buffer | undefined {
  return opcode === PING ? frameBytes({ opcode: PONG, payload }, isMasked) : undefined
}

/** Calls back with each whole frame; of payloads up to 64 KB, which is more than the bench sends. */
export function createFrameReader(read: (frame: Frame) => void): (chunk: Buffer) => void {
  let held: Buffer = Buffer.alloc(0)
  return (chunk) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    for (let frame = firstFrame(held); frame !== undefined; frame = firstFrame(held)) {
      held = held.subarray(frame.size)
      read(frame)
    }
  }
}

function firstFrame(bytes: Buffer): (Frame & { readonly size: number }) | undefined {
  const [first = 0, second = 0] = bytes
  const isMasked = second >= 0x80
  const short = second & 0x7f
  if (short === 127) throw new Error('a frame longer than the bench sends')
  const maskAt = short === 126 ? 4 : 2
  const start = maskAt + (isMasked ? 4 : 0)
  if (bytes.length < start) return undefined
  const size = start + (short === 126 ? bytes.readUInt16BE(2) : short)
  if (bytes.length < size) return undefined
  const payload = bytes.subarray(start, size)
  return {
    opcode: first & 0x0f,
    payload: isMasked ? unmasked(payload, bytes.subarray(maskAt, start)) : payload,
    size,
  }
}

function unmasked(payload: Buffer, key: Buffer): Buffer {
  const plain = Buffer.allocUnsafe(payload.length)
  for (let at = 0; at < payload.length; at++) plain[at] = (payload[at] ?? 0) ^ (key[at & 3] ?? 0)
  return plain
}

/** The head that completes a handshake (RFC 6455 §4.2.2) for the `sec-websocket-key` in the request's head. */
export function upgradeAnswer(requestHead: string): Buffer {
  const key = /\r\nsec-websocket-key: *(\S+)/i.exec(requestHead)?.[1] ?? ''
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  return Buffer.from(
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n' +
      `sec-websocket-accept: ${accept}\r\n\r\n`,
  )
}

/** A client's handshake. */
export function upgradeRequest(path: string, lines: readonly string[]): Buffer {
  const head = [
    `GET ${path} HTTP/1.1`,
    ...lines,
    'upgrade: websocket',
    'connection: Upgrade',
    'sec-websocket-version: 13',
    // Sixteen bytes that need not be secret: they only show that the other side speaks WebSocket.
    `sec-websocket-key: ${Buffer.alloc(16, 7).toString('base64')}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n`)
}
