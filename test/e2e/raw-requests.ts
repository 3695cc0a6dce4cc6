import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { configOf, KEY, MESSAGES, SETTINGS, withStage } from './asking.ts'
import type { Gateway } from './program.ts'

/** What an upstream was sent. */
interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** An upstream that keeps what it is sent, and answers as it is told. */
interface Upstream {
  readonly url: string
  readonly received: Received[]
}

/** What it does with a request that it has read. */
export type Answering = (request: IncomingMessage, response: ServerResponse) => void

/** Answers a chat. */
export const WELL: Answering = (_, response) =>
  void response
    .writeHead(200, { 'content-type': 'application/json' })
    .end('{"choices":[{"index":0,"message":{"role":"assistant","content":"pong"}}]}')

/** Starts the program in front of an upstream, and ends both after `use`. */
export async function withUpstream(
  use: (gateway: Gateway, upstream: Upstream) => Promise<void>,
  { answering = WELL, settings = '' }: { readonly answering?: Answering; readonly settings?: string } = {},
): Promise<void> {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks) })
      answering(request, response)
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  const url = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`
  try {
    const config = configOf([{ group: 'g', base: `${url}/v1` }], SETTINGS + settings)
    await withStage(config, ({ gateway }) => use(gateway, { url, received }))
  } finally {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  }
}

/** Writes these bytes, one after the other, and gives back all that comes until the connection ends or `until` has. */
export function raw(gateway: Gateway, pieces: readonly (string | Buffer)[], until?: RegExp): Promise<string> {
  const { hostname, port } = new URL(gateway.url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let text = ''
    const stop = setTimeout(() => reject(new Error(`nothing more came after:\n${text}`)), 10_000)
    const finish = (): void => {
      clearTimeout(stop)
      socket.destroy()
      resolve(text)
    }
    socket.on('connect', () => {
      for (const piece of pieces) socket.write(piece)
    })
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (until?.test(text) === true) finish()
    })
    socket.on('error', finish).on('close', finish)
  })
}

/** A good body. */
export const BODY = JSON.stringify({ model: 'g', messages: MESSAGES })
/** The head of a request with the key and these lines. */
export const head = (lines: readonly string[], path = '/v1/chat/completions', version = 'HTTP/1.1'): string =>
  [`POST ${path} ${version}`, 'host: gateway', `authorization: Bearer ${KEY}`, ...lines, '', ''].join('\r\n')
/** A request, head and body. */
export const whole = (body = BODY): string => head([`content-length: ${Buffer.byteLength(body)}`]) + body
/** The answer of `WELL`. */
export const PONG = /"content":"pong"/
/** The statuses of all answers in a text, in order. */
export const statuses = (text: string): readonly string[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status = '']) => status)
