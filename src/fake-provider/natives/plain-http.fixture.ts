import http from 'node:http'
import type { IncomingMessage } from 'node:http'

/** What AWS's client hands to whoever sends for it. */
interface Outgoing {
  readonly method: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

interface Incoming {
  readonly response: {
    readonly statusCode: number
    readonly headers: Record<string, string>
    readonly body: IncomingMessage
  }
}

/** Sends for AWS's client over HTTP/1.1: its own way is HTTP/2, which these servers do not speak. */
export function plainHttp(): { handle(request: Outgoing): Promise<Incoming> } {
  return {
    handle: ({ method, hostname, port, path, headers, body }) =>
      new Promise((resolve, reject) => {
        const options = { method, host: hostname, port, path, headers, agent: false }
        const request = http.request(options, (response) => {
          const flat = Object.entries(response.headers).map(([name, value]) => [name, String(value)])
          const { statusCode = 0 } = response
          resolve({ response: { statusCode, headers: Object.fromEntries(flat), body: response } })
        })
        request.on('error', reject)
        request.end(typeof body === 'string' || body instanceof Uint8Array ? body : undefined)
      }),
  }
}
