import { KEYS } from './all-providers.ts'
import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http'

/** What can be wrong with a request of ours. */
export const MUTATIONS = ['path', 'auth', 'extra', 'missing'] as const
/** `none` changes nothing; `blank` adds a blank behind the body, which nobody minds who has not signed it. */
export type Mutation = (typeof MUTATIONS)[number] | 'none' | 'blank'

/** A proxy that makes one mistake in each request which passes it. */
export interface MutatingProxy {
  readonly url: string
  stop(): Promise<void>
}

const DEADLINE_MS = 10_000
const CREDENTIALS = [
  'authorization',
  'api-key',
  'api-subscription-key',
  'x-api-key',
  'xi-api-key',
  'x-goog-api-key',
] as const
/** Without one of these no provider serves a request; of a body without any of them, without its largest member. */
const MUSTS = [
  'messages',
  'inputs',
  'input',
  'documents',
  'prompt',
  'texts',
  'text',
  'contents',
  'query',
  'queries',
  'instances',
  'requests',
  'inputText',
  'imageGenerationConfig',
  'textToImageParams',
  'audio_url',
] as const

/** Starts a proxy in front of `upstream`. The host that was asked stays the one that is named: it may be signed. */
export async function startMutatingProxy(upstream: string, mutation: Mutation): Promise<MutatingProxy> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => pass(upstream, mutation, request, Buffer.concat(chunks), response))
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

function pass(
  upstream: string,
  mutation: Mutation,
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
): void {
  const { 'transfer-encoding': _, 'content-length': __, ...kept } = request.headers
  const lost: ReadonlySet<string> = new Set(mutation === 'auth' ? CREDENTIALS : [])
  const isLost = ([name, value]: readonly [string, unknown]): boolean =>
    lost.has(name) || (mutation === 'auth' && KEYS.some((key) => String(value).includes(key)))
  const headers = Object.fromEntries(Object.entries(kept).filter((header) => !isLost(header)))
  const sent = mutated(mutation, { url: request.url ?? '/', body })
  const onward = send(
    upstream + sent.url,
    {
      method: request.method,
      headers: { ...headers, ...(sent.body.length > 0 && { 'content-length': sent.body.length }) },
      signal: AbortSignal.timeout(DEADLINE_MS),
    },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    },
  )
  onward.on('error', () => response.destroy())
  onward.end(sent.body)
}

interface Sent {
  readonly url: string
  readonly body: Buffer
}

function mutated(mutation: Mutation, { url, body }: Sent): Sent {
  const [path = '', query] = url.split('?')
  switch (mutation) {
    case 'path':
      return { url: `${path}/elsewhere${query === undefined ? '' : `?${query}`}`, body }
    case 'blank':
      return { url, body: Buffer.concat([body, Buffer.from(' ')]) }
    case 'extra':
    case 'missing':
      return spoiled(mutation, url, body)
    case 'none':
    case 'auth':
      return { url, body }
  }
}

/** A member too many, or without what is asked: of JSON, else of a form, else of the query. */
function spoiled(how: 'extra' | 'missing', url: string, body: Buffer): Sent {
  const text = body.toString('latin1')
  if (text.startsWith('{')) return { url, body: Buffer.from(spoiledJson(how, body)) }
  if (text.includes('form-data; name=')) {
    // What a form is called wrong is there too much, and what it was called is not there.
    const name = how === 'extra' ? 'made_up' : 'language'
    return { url, body: Buffer.from(text.replace(/name="model(?:_id)?"/, `name="${name}"`), 'latin1') }
  }
  const [path = '', query = ''] = url.split('?')
  const params = new URLSearchParams(query)
  if (how === 'extra') params.set('made_up', '1')
  else params.delete('model')
  return { url: `${path}?${params.toString()}`, body }
}

function spoiledJson(how: 'extra' | 'missing', body: Buffer): string {
  const json: Record<string, unknown> = JSON.parse(body.toString())
  if (how === 'extra') return JSON.stringify({ ...json, made_up: 1 })
  const size = (name: string): number => JSON.stringify(json[name]).length
  const [largest = ''] = Object.keys(json).toSorted((one, other) => size(other) - size(one))
  const lost = MUSTS.find((name) => name in json) ?? largest
  const { [lost]: _, ...rest } = json
  return JSON.stringify(rest)
}
