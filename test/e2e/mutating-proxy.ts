import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/** A proxy that changes the requests which pass it. */
export interface MutatingProxy {
  /** `<url>/<mutation>/<path at the upstream>`; any other word changes nothing. */
  readonly url: string
  stop(): Promise<void>
}

/** What can be wrong with a request of ours. */
export const MUTATIONS = ['path', 'auth', 'extra', 'missing'] as const
export type Mutation = (typeof MUTATIONS)[number]

const DEADLINE_MS = 10_000
const CREDENTIALS: ReadonlySet<string> = new Set(['authorization', 'api-key', 'x-api-key', 'x-goog-api-key'])
/** Of one hop. */
const HOP: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'accept-encoding',
])
/** Without these no provider serves a request. */
const MUSTS = ['messages', 'inputs', 'input', 'documents', 'prompt', 'texts', 'contents', 'query'] as const

/** Starts a proxy in front of `upstream` that makes one mistake in each request: which, its path says first. */
export async function startMutatingProxy(upstream: string): Promise<MutatingProxy> {
  const server = createServer((request, response) => {
    void pass(upstream, request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function pass(upstream: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, mutation = '', rest = ''] = /^\/([^/]+)(.*)$/.exec(request.url ?? '') ?? []
  const chunks: Buffer[] = []
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk)
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers))
    if (typeof value === 'string' && !HOP.has(name) && !(mutation === 'auth' && CREDENTIALS.has(name)))
      headers.set(name, value)
  const [path = '', query] = rest.split('?')
  const where = `${path}${mutation === 'path' ? '/elsewhere' : ''}${query === undefined ? '' : `?${query}`}`
  const answer = await fetch(`${upstream}${where}`, {
    method: request.method ?? 'GET',
    headers,
    signal: AbortSignal.timeout(DEADLINE_MS),
    ...(request.method === 'GET' ? {} : { body: mutated(mutation, Buffer.concat(chunks)) }),
  })
  response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' })
  response.end(Buffer.from(await answer.arrayBuffer()))
}

/** JSON with a member too many or without what is asked; a form, which is text for the most part, likewise. */
function mutated(mutation: string, body: Buffer): string | Buffer<ArrayBuffer> {
  const text = body.toString('latin1')
  if (mutation !== 'extra' && mutation !== 'missing') return Buffer.from(text, 'latin1')
  if (!text.startsWith('{')) {
    const changed =
      mutation === 'missing'
        ? text.replace('name="model"', 'name="language"')
        : text.replace('name="model"', 'name="made_up"')
    return Buffer.from(changed, 'latin1')
  }
  const json: Record<string, unknown> = JSON.parse(body.toString())
  if (mutation === 'extra') return JSON.stringify({ ...json, made_up: 1 })
  const lost = MUSTS.find((name) => name in json) ?? ''
  const { [lost]: _, ...rest } = json
  return JSON.stringify(rest)
}
