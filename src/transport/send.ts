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
      end: () => resolve({ status, headers, body: Buffer.concat(chunks) }),
      fail: reject,
    })
  })
}
