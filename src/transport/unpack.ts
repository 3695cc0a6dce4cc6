import { Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import { asGatewayError, GatewayError } from '../core/failure.ts'
import type { StreamSink } from './wire.ts'

/** An answer that comes packed, and where it goes unpacked. */
export interface Packed {
  readonly encoding: Encoding
  /** The most that it may be when it is unpacked, bytes. */
  readonly maxBytes: number
  readonly sink: Pick<StreamSink, 'data'>
  /** More of it can be taken. */
  readonly flows: () => void
  /** All of it is with the sink. */
  readonly ended: () => void
  readonly failed: (error: GatewayError) => void
}

/** An answer on its way through the unpacker. Once it is stopped nothing of it reaches anybody. */
export interface Unpacking {
  /** False asks for a pause. */
  data(chunk: Buffer): boolean
  end(): void
  /** The sink can take more. */
  resume(): void
  stop(): void
}

/** How an answer is packed. */
export interface Encoding {
  readonly name: string
  /** By the first byte of the body. */
  readonly open: (first: number) => Transform
}

/** The largest window that a packer may ask of us is 8 MB (RFC 9659 §3); zlib's own limit is 128 MB an answer. */
const ZSTD_WINDOW = { params: { [zlib.constants.ZSTD_d_windowLogMax]: 23 } }

/** By the names of RFC 9110 §8.4.1 and RFC 8878 §7.2. A map: the name is the upstream's. */
const UNPACKERS: ReadonlyMap<string, Encoding['open']> = new Map<string, Encoding['open']>([
  ['gzip', () => zlib.createGunzip()],
  ['x-gzip', () => zlib.createGunzip()],
  // Some servers leave out the frame that RFC 1950 puts round it.
  ['deflate', (first) => ((first & 0x0f) === 8 ? zlib.createInflate() : zlib.createInflateRaw())],
  ['br', () => zlib.createBrotliDecompress()],
  ['zstd', () => zlib.createZstdDecompress(ZSTD_WINDOW)],
])

const MAX_SHOWN_CHARS = 40

/**
 * How an answer is packed, mostly in spite of `accept-encoding: identity`; undefined: it is not. Of a refusal that cannot be
 * unpacked the status is enough.
 * @throws GatewayError wrong_shape where any other answer cannot be
 */
export function encodingOf(status: number, header: string | undefined): Encoding | undefined {
  const name = header?.trim().toLowerCase() ?? ''
  if (name === '' || name === 'identity') return undefined
  const open = UNPACKERS.get(name)
  if (open !== undefined) return { name, open }
  if (status >= 300) return { name, open: () => new Transform({ transform: (_, __, done) => done() }) }
  const known = [...UNPACKERS.keys()].join(', ')
  const shown = name.replaceAll(/[^\w, -]/g, '?').slice(0, MAX_SHOWN_CHARS)
  throw new GatewayError(
    'wrong_shape',
    `the answer is packed as "${shown}", which nobody asked for and which is not read here (${known} are)`,
  )
}

/** What is known of the plain body of a packed one: not its size. */
export function unpackedHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { 'content-encoding': _, 'content-length': __, ...rest } = headers
  return rest
}

/** Unpacks an answer as it comes, in Node's own threads, and no further than its limit. */
export function unpacking(packed: Packed): Unpacking {
  let unpacker: Transform | undefined
  return {
    data: (chunk) => {
      unpacker ??= open(packed, chunk[0] ?? 0)
      return unpacker.write(chunk)
    },
    end: () => {
      // No body at all, as of a 204, is no broken one.
      if (unpacker === undefined) packed.ended()
      else unpacker.end()
    },
    resume: () => unpacker?.resume(),
    stop: () => unpacker?.destroy(),
  }
}

function open(packed: Packed, first: number): Transform {
  const { encoding, maxBytes, sink, flows, ended, failed } = packed
  const unpacker = encoding.open(first)
  let bytes = 0
  unpacker.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    try {
      if (bytes > maxBytes) failed(tooLarge(encoding.name, maxBytes))
      else if (!sink.data(chunk)) unpacker.pause()
    } catch (thrown) {
      failed(asGatewayError(thrown))
    }
  })
  unpacker.on('drain', flows)
  unpacker.on('end', ended)
  unpacker.on('error', (cause: NodeJS.ErrnoException) => failed(broken(encoding.name, cause)))
  return unpacker
}

function tooLarge(encoding: string, maxBytes: number): GatewayError {
  return new GatewayError('wrong_shape', `the ${encoding} answer cannot be unpacked within ${maxBytes} bytes`)
}

function broken(encoding: string, cause: NodeJS.ErrnoException): GatewayError {
  if (cause.code === 'Z_BUF_ERROR')
    return new GatewayError('cut', `the ${encoding} answer broke off`, { cause })
  const message = `the answer is not the ${encoding} that its content-encoding says (${cause.code ?? cause.message})`
  return new GatewayError('wrong_shape', message, { cause })
}
