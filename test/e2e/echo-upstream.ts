import http from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { WebSocket, WebSocketServer } from 'ws'

/** An upstream that repeats what it was sent, in the ways that servers, proxies and error pages do. */
export interface EchoUpstream {
  /** `http://host:port`; the first path segment chooses the way. */
  readonly url: string
  /** How many requests and upgrades carried a text that matches `pattern`, by way. */
  heard(pattern: RegExp): ReadonlyMap<string, number>
  stop(): Promise<void>
}

/** What one way answers with. */
interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

const JSON_TYPE = { 'content-type': 'application/json' }
const TEXT_TYPE = { 'content-type': 'text/plain' }

/** Everything that came, as one text; `secret`: the value that a canary is in. */
interface Heard {
  readonly all: string
  readonly values: readonly string[]
  readonly secret: string
}

const error = (status: number, words: string): Reply => ({
  status,
  headers: JSON_TYPE,
  body: JSON.stringify({ error: { message: words, type: words, param: words, code: words } }),
})

/** Padding so that a text cut after `limit` characters ends in the middle of the canary. */
const cutAt = (limit: number, { secret }: Heard): string =>
  `${'x'.repeat(Math.max(0, limit - secret.indexOf('CANARY') - 'CANARY00'.length))}${secret} and more of it`

const lowerHex = (text: string): string =>
  encodeURIComponent(text).replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())
const html = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;')

/** Every way to echo over HTTP, by path segment. */
export const HTTP_WAYS: Readonly<Record<string, (heard: Heard) => Reply>> = {
  text: ({ all }) => error(400, all),
  unauthorized: ({ all }) => error(401, all),
  crash: ({ all }) => ({ status: 500, headers: TEXT_TYPE, body: all }),
  bare: ({ values }) => error(401, values.map((value) => value.replace(/^\w+ /, '')).join(' ')),
  limit: ({ all }) => ({
    ...error(429, all),
    headers: { ...JSON_TYPE, 'retry-after': all, 'x-ratelimit-remaining-requests': all, 'x-request-id': all },
  }),
  url: ({ values }) =>
    error(400, values.flatMap((value) => [encodeURIComponent(value), lowerHex(value)]).join(' ')),
  form: ({ values }) =>
    error(
      400,
      new URLSearchParams(Object.fromEntries(values.map((value, at) => [`v${at}`, value]))).toString(),
    ),
  base64: ({ values, all }) =>
    error(
      400,
      [...values, all].flatMap((text) => [base64(text), base64(`x${text}`), base64(`xy${text}`)]).join(' '),
    ),
  base64url: ({ values, all }) =>
    error(400, [...values, all].map((text) => Buffer.from(text).toString('base64url')).join(' ')),
  json: ({ values }) => error(400, JSON.stringify({ headers: values })),
  jsontwice: ({ values }) => error(400, JSON.stringify(JSON.stringify({ headers: values }))),
  slashes: ({ values }) => error(400, JSON.stringify(values).replaceAll('/', String.raw`\/`)),
  page: ({ all }) => ({
    status: 502,
    headers: { 'content-type': 'text/html' },
    body: `<html><head><title>${html(all)}</title></head><body>${html(all)}</body></html>`,
  }),
  cut500: (heard) => error(400, cutAt(500, heard)),
  cut500text: (heard) => ({ status: 500, headers: TEXT_TYPE, body: cutAt(500, heard) }),
  cut80: (heard) => ({ status: 200, headers: TEXT_TYPE, body: cutAt(80, heard) }),
  cut80json: (heard) => ({ status: 200, headers: JSON_TYPE, body: `{"x":"${cutAt(74, heard)}"}` }),
  inside: ({ all }) => ({ ...error(400, all), status: 200 }),
  shape: ({ all }) => ({ status: 200, headers: JSON_TYPE, body: JSON.stringify({ echo: all }) }),
  redirect: ({ secret }) => ({
    status: 302,
    headers: {
      location: `https://elsewhere.example/${encodeURIComponent(secret)}?k=${encodeURIComponent(secret)}`,
    },
    body: '',
  }),
  event: ({ all }) => ({
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    body: `data: ${JSON.stringify({ error: { message: all } })}\n\n`,
  }),
  midstream: ({ all }) => ({
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    body: `data: {"choices":[{"index":0,"delta":{"content":"hi"}}]}\n\ndata: ${JSON.stringify({ error: { message: all } })}\n\n`,
  }),
}

/** Every way to echo on a WebSocket: a refused upgrade, an error event, the reason of a close. */
export const SOCKET_WAYS = ['refused', 'wsevent', 'wsclose'] as const

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

const MAX_HEARD = 10_000

/** Starts one on a free port. */
export async function startEchoUpstream(): Promise<EchoUpstream> {
  const received: { readonly way: string; readonly all: string }[] = []
  const note = (request: IncomingMessage, body: string): { readonly way: string; readonly heard: Heard } => {
    const way = request.url?.split('/')[1] ?? ''
    const heard = hear(request, body)
    if (received.length < MAX_HEARD) received.push({ way, all: heard.all })
    return { way, heard }
  }
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { way, heard } = note(request, Buffer.concat(chunks).toString('latin1'))
      answer(response, HTTP_WAYS[way]?.(heard) ?? { status: 404, body: '' })
    })
  })
  const sockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    const { way, heard } = note(request, '')
    if (way === 'refused') {
      const body = error(403, heard.all).body
      socket.end(
        `HTTP/1.1 403 ${oneLine(heard.secret)}\r\nx-request-id: ${oneLine(heard.all)}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
      )
      return
    }
    sockets.handleUpgrade(request, socket, head, (session: WebSocket) => {
      if (way === 'wsclose') session.close(4001, heard.secret.slice(0, 120))
      else session.send(JSON.stringify({ type: 'error', error: { code: heard.secret, message: heard.all } }))
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    heard: (pattern) => {
      const counts = new Map<string, number>()
      for (const { way, all } of received) if (pattern.test(all)) counts.set(way, (counts.get(way) ?? 0) + 1)
      return counts
    },
    stop: () =>
      new Promise((resolve) => {
        for (const session of sockets.clients) session.terminate()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function answer(response: ServerResponse, { status, headers = {}, body }: Reply): void {
  const safe = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, oneLine(value)]))
  response.writeHead(status, { ...safe, 'x-ms-region': safe['x-request-id'] ?? 'East US' }).end(body)
}

function hear(request: IncomingMessage, body: string): Heard {
  const { authorization = '' } = request.headers
  const basic = /^Basic (.+)$/.exec(authorization)?.[1]
  const url = request.url ?? ''
  const values = [
    ...Object.values(request.headers).flatMap((value) => value ?? []),
    ...(basic === undefined ? [] : [Buffer.from(basic, 'base64').toString()]),
    ...new URL(url, 'http://echo').searchParams.values(),
    ...(body === '' ? [] : [body]),
  ]
  const secret = values.find((value) => value.includes('CANARY')) ?? ''
  return { all: [`${request.method ?? ''} ${url}`, ...values].join(' '), values, secret }
}

/** Fit to be a header's value. */
function oneLine(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]+/g, ' ').slice(0, 4000)
}
