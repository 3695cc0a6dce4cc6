import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { ask } from './asking.ts'
import { freePort } from './program.ts'

/** A way to spoil a request. */
export type Mutation = 'path' | 'auth' | 'extra' | 'missing'

/** A server that passes requests on spoilt, as the first segment of their path says, and answers as they are answered. */
export interface SpoilingProxy {
  /** The base under which every request is spoilt in this way; `none` spoils nothing. */
  base(mutation: Mutation | 'none'): string
  stop(): Promise<void>
}

/** The members without which no provider serves a request. */
const MUSTS = ['messages', 'inputs', 'input', 'documents', 'prompt', 'texts', 'contents', 'query'] as const
const CREDENTIALS: ReadonlySet<string> = new Set(['authorization', 'api-key', 'x-api-key', 'x-goog-api-key'])
/** Of one hop. */
const HOP: ReadonlySet<string> = new Set(['host', 'connection', 'content-length', 'transfer-encoding'])

/** Starts a server in front of `upstream`. */
export async function startSpoilingProxy(upstream: string): Promise<SpoilingProxy> {
  const server = createServer((request, response) => {
    void passOn(request, response, upstream)
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    base: (mutation) => `http://127.0.0.1:${port}/${mutation}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function passOn(request: IncomingMessage, response: ServerResponse, upstream: string): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  const [, mutation = '', rest = ''] = /^\/(\w+)(\/.*)$/.exec(request.url ?? '') ?? []
  const [path = '', query] = rest.split('?')
  const where = mutation === 'path' ? `${path}-x` : path
  const body = spoilt(mutation, Buffer.concat(chunks).toString())
  const answer = await ask(`${upstream}${where}${query === undefined ? '' : `?${query}`}`, {
    method: request.method ?? 'GET',
    headers: headersOf(mutation, request),
    ...(body !== '' && { body }),
  })
  response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
  response.end(answer.text)
}

function headersOf(mutation: string, { headers }: IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]): [string, string][] =>
      typeof value !== 'string' || HOP.has(name) || (mutation === 'auth' && CREDENTIALS.has(name))
        ? []
        : [[name, value]],
    ),
  )
}

function spoilt(mutation: string, text: string): string {
  if (text === '' || (mutation !== 'extra' && mutation !== 'missing')) return text
  const members: [string, unknown][] = Object.entries(JSON.parse(text))
  if (mutation === 'extra') return JSON.stringify({ ...Object.fromEntries(members), colour: 'blue' })
  const names = new Set(members.map(([name]) => name))
  const must = MUSTS.find((name) => names.has(name))
  return JSON.stringify(Object.fromEntries(members.filter(([name]) => name !== must)))
}
