import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../core/failure.ts'
import { createBodyBuilder } from './body-builder.ts'

/** Told once: the whole body, or why there is none. */
export type BodyReader = (body: Buffer | GatewayError) => void

/**
 * Reads a request's body. Nothing is read of one that announces more than `maxBytes`, and nothing further of one
 * that turns out to be longer. How long a client may take is bounded by the server's request timeout.
 */
export function readBody(request: IncomingMessage, maxBytes: number, done: BodyReader): void {
  const refused = refusalOfHead(request, maxBytes)
  if (refused !== undefined) {
    done(refused)
    return
  }
  const body = createBodyBuilder(announcedBytes(request))
  let isDone = false
  const finish = (result: Buffer | GatewayError): void => {
    if (isDone) return
    isDone = true
    body.drop()
    done(result)
  }
  request.on('data', (chunk: Buffer) => {
    if (isDone) return
    if (body.add(chunk) > maxBytes) finish(tooLarge(maxBytes))
  })
  request.on('end', () => {
    if (!isDone) finish(body.whole())
  })
  request.on('error', (error) => {
    if (!isDone) finish(gone(error))
  })
  // Closes after every request, and an error costs as much as reading it did: it is made only where it is meant.
  request.on('close', () => {
    if (!isDone) finish(gone())
  })
}

/** The size that a request announces, bytes; NaN where it does not. */
export function announcedBytes(request: IncomingMessage): number {
  return Number(request.headers['content-length'] ?? Number.NaN)
}

/** Why nothing at all is read of a request: it announces too much, or is compressed. */
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
