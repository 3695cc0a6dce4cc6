import { crc32 } from 'node:zlib'
import { GatewayError } from '../core/failure.ts'

/** One message of a binary event stream. */
export interface Frame {
  /** Its text headers (`:message-type`, `:event-type`, `:exception-type`, …); headers of other types are left out. */
  readonly headers: Readonly<Record<string, string>>
  readonly payload: Buffer
}

/** A push parser: bytes in any split → frames. */
export interface FrameParser {
  /** @throws GatewayError wrong_shape for bytes that are no frames: a wrong checksum, a wrong or too large length */
  push(bytes: Uint8Array): readonly Frame[]
  /** @throws GatewayError cut where the stream ends inside a frame */
  end(): void
}

/** Total length, length of the headers, and a checksum of both. */
const PRELUDE_BYTES = 12
const CHECKSUM_BYTES = 4
/** Largest frame. AWS's own limit is 24 MiB (https://smithy.io/2.0/aws/amazon-eventstream.html). */
const MAX_FRAME_BYTES = 24 * 1024 * 1024
const decoder = new TextDecoder()

/**
 * Parses `application/vnd.amazon.eventstream` (https://smithy.io/2.0/aws/amazon-eventstream.html), checking both
 * checksums of every frame. A frame that arrives in many pieces is put together once.
 */
export function createFrameParser(maxFrameBytes: number = MAX_FRAME_BYTES): FrameParser {
  let pieces: Buffer[] = []
  let have = 0
  let need = PRELUDE_BYTES
  const readHeaders = createHeaderReader()
  return {
    push: (bytes) => {
      pieces.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
      have += bytes.byteLength
      if (have < need) return []
      const data = pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces)
      const frames: Frame[] = []
      let at = 0
      for (;;) {
        need = data.length - at < PRELUDE_BYTES ? PRELUDE_BYTES : lengthAt(data, at, maxFrameBytes)
        if (data.length - at < need) break
        frames.push(frameOf(data.subarray(at, at + need), readHeaders))
        at += need
      }
      pieces = at < data.length ? [data.subarray(at)] : []
      have = data.length - at
      return frames
    },
    end: () => {
      if (have > 0) throw new GatewayError('cut', 'the stream ended inside a frame')
    },
  }
}

/** The length of the frame that begins here, once its prelude is proven. */
function lengthAt(data: Buffer, at: number, maxFrameBytes: number): number {
  const length = data.readUInt32BE(at)
  const headersLength = data.readUInt32BE(at + 4)
  if (crc32(data.subarray(at, at + 8)) !== data.readUInt32BE(at + 8)) throw broken('a prelude')
  if (length > maxFrameBytes) {
    throw new GatewayError('wrong_shape', `a frame of the stream is larger than ${maxFrameBytes} bytes`)
  }
  if (headersLength > length - PRELUDE_BYTES - CHECKSUM_BYTES) throw broken('a length')
  return length
}

function frameOf(frame: Buffer, readHeaders: (bytes: Buffer) => Frame['headers']): Frame {
  const end = frame.length - CHECKSUM_BYTES
  if (crc32(frame.subarray(0, end)) !== frame.readUInt32BE(end)) throw broken('a message')
  const payloadAt = PRELUDE_BYTES + frame.readUInt32BE(4)
  return {
    headers: readHeaders(frame.subarray(PRELUDE_BYTES, payloadAt)),
    payload: frame.subarray(payloadAt, end),
  }
}

/** Most frames of a stream have the headers of the one before, byte by byte: these are read once. */
function createHeaderReader(): (bytes: Buffer) => Frame['headers'] {
  let known: { readonly bytes: Buffer; readonly headers: Frame['headers'] } | undefined
  return (bytes) => {
    if (known?.bytes.equals(bytes) !== true) known = { bytes: Buffer.from(bytes), headers: headersOf(bytes) }
    return known.headers
  }
}

/** Bytes of a value by its type; text and bytes have their length in front. */
const VALUE_BYTES: readonly (number | 'prefixed')[] = [0, 0, 1, 2, 4, 8, 'prefixed', 'prefixed', 8, 16]
const TEXT_TYPE = 7

function headersOf(bytes: Buffer): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {}
  let at = 0
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw broken('a header')
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    const name = decoder.decode(take(take(1).readUInt8(0)))
    const type = take(1).readUInt8(0)
    const size = VALUE_BYTES[type]
    if (size === undefined) throw broken('a header')
    const value = take(size === 'prefixed' ? take(2).readUInt16BE(0) : size)
    if (type === TEXT_TYPE) headers[name] = decoder.decode(value)
  }
  return headers
}

function broken(what: string): GatewayError {
  return new GatewayError(
    'wrong_shape',
    `the stream holds ${what} that is no event stream's: its bytes do not add up`,
  )
}
