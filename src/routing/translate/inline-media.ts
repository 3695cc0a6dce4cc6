import { isJsonObject, type Json } from '../../core/json.ts'
import type { ChatMessage, ChatRequest, HttpMode, Operations } from '../../core/mode.ts'
import type { Line } from '../../providers/call.ts'
import type { Media } from '../../providers/surface-face.ts'
import { refuse } from '../request/request.ts'
import type { Limits } from '../road.ts'

/**
 * Fetches what a client's URL names, from public addresses only and within limits of its own.
 * @throws GatewayError bad_request (the client's doing) with why it cannot be had
 */
export type FetchMedia = (url: string, limits: Pick<Limits, 'timeoutMs'>) => Promise<Media>

/** More of them are refused: each is a request of ours to somebody else. */
const MOST_OF_A_REQUEST = 20

/**
 * The request with `data:` URLs in place of those that the provider would not fetch itself; undefined where there are
 * none. Each is fetched once, all of them at the same time.
 * @throws GatewayError bad_request (the client's doing)
 */
export function inlined<M extends HttpMode>(
  line: Line,
  mode: M,
  request: Operations[M]['request'],
  limits: Limits,
  fetchMedia: FetchMedia,
): Promise<Operations[M]['request']> | undefined {
  const codec = line.adapter.codecs.chat
  if (mode !== 'chat' || codec === 'unsupported' || codec.inlines === undefined || !isChat(request))
    return undefined
  const { inlines } = codec
  const urls = new Set<string>()
  visit(request, (url) => {
    if (/^https?:/i.test(url) && inlines(url, line.target)) urls.add(url)
    return url
  })
  if (urls.size === 0) return undefined
  return fetchAll([...urls], limits, fetchMedia).then((found) =>
    visit(request, (url) => {
      const media = found.get(url)
      return media === undefined ? url : dataUrl(media)
    }),
  )
}

function dataUrl({ contentType, bytes }: Media): string {
  return `data:${contentType};base64,${Buffer.from(bytes).toString('base64')}`
}

/**
 * What these name, all fetched at the same time.
 * @throws GatewayError bad_request (the client's doing): at once for too many, else as a rejection
 */
export function fetchAll(
  urls: readonly string[],
  limits: Limits,
  fetchMedia: FetchMedia,
): Promise<ReadonlyMap<string, Media>> {
  if (urls.length > MOST_OF_A_REQUEST)
    throw refuse(
      `a request may name ${MOST_OF_A_REQUEST} pictures and files by URL, not ${urls.length}.`,
      'messages',
    )
  const entries = urls.map(async (url) => [url, await fetchMedia(url, limits)] as const)
  return Promise.all(entries).then((found) => new Map(found))
}

function isChat(request: object): request is ChatRequest {
  return 'messages' in request
}

/** The request with every URL of a picture or file in it changed by `change`. */
function visit(request: ChatRequest, change: (url: string) => string): ChatRequest {
  return { ...request, messages: request.messages.map((message) => visitMessage(message, change)) }
}

function visitMessage(message: ChatMessage, change: (url: string) => string): ChatMessage {
  const { content } = message
  return Array.isArray(content)
    ? { ...message, content: content.map((part: Json) => visitPart(part, change)) }
    : message
}

/** OpenAI's parts that name something: `image_url` (an object or the bare URL) and `file`. */
function visitPart(part: Json, change: (url: string) => string): Json {
  if (!isJsonObject(part)) return part
  const { image_url: image, file } = part
  if (typeof image === 'string') return { ...part, image_url: change(image) }
  if (isJsonObject(image) && typeof image['url'] === 'string')
    return { ...part, image_url: { ...image, url: change(image['url']) } }
  if (isJsonObject(file) && typeof file['file_data'] === 'string')
    return { ...part, file: { ...file, file_data: change(file['file_data']) } }
  return part
}
