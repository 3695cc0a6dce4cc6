import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib'
import { GatewayError } from '../core/failure.ts'
import type { Limits, Transport, WireRequest, WireResponse } from './wire.ts'

/** Sends a request and collects the whole answer: a stream like any other, kept until its end. */
export function collect(
  stream: Transport['stream'],
  request: WireRequest,
  limits: Limits,
): Promise<WireResponse> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let status = 0
    let headers: Readonly<Record<string, string>> = {}
    stream(request, limits, {
      head: (answered, names) => {
        status = answered
        headers = names
      },
      data: (chunk) => {
        chunks.push(chunk)
        return true
      },
      end: () => {
        try {
          resolve({
            status,
            headers,
            body: inflated(Buffer.concat(chunks), headers['content-encoding'], limits.maxBytes),
          })
        } catch (error) {
          reject(error)
        }
      },
      fail: reject,
    })
  })
}

const INFLATE: Readonly<Record<string, (body: Buffer, options: { maxOutputLength: number }) => Buffer>> = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
}

/** We ask for `identity`; a server that compresses all the same is read within the same size limit. */
function inflated(body: Buffer, encoding: string | undefined, maxBytes: number): Buffer {
  const inflate = INFLATE[encoding?.trim().toLowerCase() ?? '']
  if (inflate === undefined || body.length === 0) return body
  try {
    return inflate(body, { maxOutputLength: maxBytes })
  } catch (cause) {
    throw new GatewayError(
      'wrong_shape',
      `the ${encoding} answer cannot be unpacked within ${maxBytes} bytes`,
      { cause },
    )
  }
}
