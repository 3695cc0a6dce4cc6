import type { IncomingMessage } from 'node:http'
import type { Transform } from 'node:stream'
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from 'node:zlib'
import { GatewayError } from '../core/failure.ts'
import { createBodyBuilder } from './body-builder.ts'

/** Told once: the whole body, or why there is none. */
export type BodyReader = (body: Buffer | GatewayError) => void

/**
 * Reads a request's body. Nothing is read of one that announces more than `maxBytes`, and nothing further of one
 * that turns out to be longer, unpacked or not. How long a client may take is bounded by the server's request timeout.
 */
export function readBody(request: IncomingMessage, maxBytes: number, done: BodyReader): void {
  if (announcedBytes(request) > maxBytes) {
    done(tooLarge(maxBytes))
    return
  }
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  if (encoding === 'identity') {
    collect(request, request, announcedBytes(request), maxBytes, done)
    return
  }
  const unpack = UNPACK.get(encoding)
  if (unpack === undefined) {
    const known = [...UNPACK.keys()].join(', ')
    const message = `content-encoding ${encoding.slice(0, 40)} is not read here; send JSON plain or as ${known}.`
    done(new GatewayError('bad_request', message, { status: 415, source: 'client', param: 'request_body' }))
    return
  }
  const unpacker = unpack()
  collect(request, request.pipe(unpacker), Number.NaN, maxBytes, (body) => {
    unpacker.destroy()
    done(body)
  })
}

/** The largest window that a packer may ask of us is 8 MB (RFC 9659 §3); zlib's own limit is 128 MB a request. */
const ZSTD_WINDOW = { params: { [constants.ZSTD_d_windowLogMax]: 23 } }

/** What clients may pack a body with (RFC 9110 §8.4.1, RFC 8878). A map: the name is the client's. */
const UNPACK: ReadonlyMap<string, () => Transform> = new Map([
  ['gzip', () => createGunzip()],
  ['deflate', () => createInflate()],
  ['br', () => createBrotliDecompress()],
  ['zstd', () => createZstdDecompress(ZSTD_WINDOW)],
])

/** Puts together what `source`, which is the request or comes from it, has to say. */
function collect(
  request: IncomingMessage,
  source: IncomingMessage | Transform,
  announced: number,
  maxBytes: number,
  done: BodyReader,
): void {
  const body = createBodyBuilder(announced)
  let isDone = false
  const finish = (result: Buffer | GatewayError): void => {
    if (isDone) return
    isDone = true
    body.drop()
    done(result)
  }
  source.on('data', (chunk: Buffer) => {
    if (isDone) return
    if (body.add(chunk) > maxBytes) finish(tooLarge(maxBytes))
  })
  source.on('end', () => {
    if (!isDone) finish(body.whole())
  })
  request.on('error', (error) => {
    if (!isDone) finish(gone(error))
  })
  if (source !== request)
    source.on('error', (cause) => {
      if (!isDone) finish(unreadable(cause))
    })
  // Closes after every request, and an error costs as much as reading it did: it is made only where it is meant.
  request.on('close', () => {
    if (!isDone && !request.complete) finish(gone())
  })
}

function unreadable(cause: Error): GatewayError {
  const message = 'The body cannot be unpacked: it is not what content-encoding says.'
  return new GatewayError('bad_request', message, {
    status: 400,
    source: 'client',
    param: 'request_body',
    cause,
  })
}

/** The size that a request announces, bytes; NaN where it does not. */
export function announcedBytes(request: IncomingMessage): number {
  return Number(request.headers['content-length'] ?? Number.NaN)
}

/** Why nothing at all is read of a form: it announces too much, or is compressed, and so could not be passed on. */
export function refusalOfHead(request: IncomingMessage, maxBytes: number): GatewayError | undefined {
  if (announcedBytes(request) > maxBytes) return tooLarge(maxBytes)
  const encoding = request.headers['content-encoding']
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return undefined
  const message = `content-encoding ${encoding.slice(0, 40)} is not read here; send the body uncompressed.`
  return new GatewayError('bad_request', message, { status: 415, source: 'client', param: 'request_body' })
}

/** The client went away. */
export function gone(cause?: Error): GatewayError {
  return new GatewayError('cancelled', 'the client went away before its request was whole', {
    source: 'client',
    cause,
  })
}

/** A 413. */
export function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError(
    'bad_request',
    `The body is larger than ${maxBytes} bytes, the limit of this gateway.`,
    {
      status: 413,
      source: 'client',
      param: 'request_body',
    },
  )
}
