import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { textOf } from '../answer.ts'

/**
 * OpenAI's content, a text or a list of parts, as Anthropic's blocks
 * (https://platform.claude.com/docs/en/api/messages/create). Empty texts are left out: Anthropic refuses them. Parts
 * that OpenAI does not know are Anthropic's own and are carried.
 * @throws GatewayError bad_request (the client's doing) for sound, and for what cannot be read
 */
export function toBlocks(content: Json | undefined): readonly JsonObject[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }]
  if (!Array.isArray(content)) return []
  return content.flatMap((part: Json) => toBlock(part))
}

/** A request that cannot be said in Anthropic's words. */
export function unsayable(message: string, param = 'messages'): GatewayError {
  return new GatewayError('bad_request', message, { param, source: 'client' })
}

function toBlock(part: Json): readonly JsonObject[] {
  if (typeof part === 'string') return toBlocks(part)
  if (!isJsonObject(part)) throw unsayable('every part of a message must be an object')
  switch (part['type']) {
    case 'text':
      return part['text'] === '' ? [] : [part]
    case 'refusal':
      return toBlocks(part['refusal'])
    case 'image_url':
      return [{ ...kept(part, ['cache_control']), ...imageOf(part['image_url']) }]
    case 'file':
      return [{ ...kept(part, ['cache_control', 'citations', 'context', 'title']), ...fileOf(part['file']) }]
    case 'input_audio':
      throw unsayable('Claude takes no sound: leave out parts of the type "input_audio"')
    default:
      return [part]
  }
}

function kept(part: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.flatMap((name) => (part[name] === undefined ? [] : [[name, part[name]]])))
}

/** OpenAI's `detail` has no counterpart: Claude sees every picture as large as it can. */
function imageOf(image: Json | undefined): JsonObject {
  const url = isJsonObject(image) ? textOf(image['url']) : textOf(image)
  if (url === undefined) throw unsayable('an "image_url" needs a "url"')
  const data = readDataUrl(url)
  if (data === undefined) return { type: 'image', source: { type: 'url', url } }
  return data.type === 'application/pdf' ? documentOf(data) : pictureOf(data)
}

function pictureOf({ type, base64 }: DataUrl): JsonObject {
  const mediaType = type === 'image/jpg' ? 'image/jpeg' : type
  return { type: 'image', source: { type: 'base64', media_type: mediaType, data: base64 } }
}

/** `file_data` is a data URL, the address of a PDF, or bare base64 of one; `file_id` is a file at Anthropic. */
function fileOf(file: Json | undefined): JsonObject {
  if (!isJsonObject(file)) throw unsayable('a part of the type "file" needs a "file"')
  const title = textOf(file['filename'])
  const named = title === undefined ? {} : { title }
  const id = textOf(file['file_id'])
  if (id !== undefined) return { type: 'document', source: { type: 'file', file_id: id }, ...named }
  const data = textOf(file['file_data'])
  if (data === undefined) throw unsayable('a "file" needs "file_data" or a "file_id"')
  if (/^https?:/i.test(data)) return { type: 'document', source: { type: 'url', url: data }, ...named }
  const read = readDataUrl(data) ?? { type: 'application/pdf', base64: data }
  return read.type.startsWith('image/') ? pictureOf(read) : { ...documentOf(read), ...named }
}

function documentOf({ type, base64 }: DataUrl): JsonObject {
  if (type === 'application/pdf')
    return { type: 'document', source: { type: 'base64', media_type: type, data: base64 } }
  if (!type.startsWith('text/')) throw unsayable(`Claude reads PDF, texts and pictures, not "${type}"`)
  const text = Buffer.from(base64, 'base64').toString()
  return { type: 'document', source: { type: 'text', media_type: 'text/plain', data: text } }
}

/** A data URL, its bytes in base64. */
interface DataUrl {
  /** Lower case, without parameters. */
  readonly type: string
  readonly base64: string
}

/** Undefined for what is no data URL. @throws GatewayError bad_request for one that is not in base64 */
function readDataUrl(url: string): DataUrl | undefined {
  if (!/^data:/i.test(url)) return undefined
  const comma = url.indexOf(',')
  const head = url.slice('data:'.length, Math.max(comma, 0))
  if (!/;base64$/i.test(head)) throw unsayable('a data URL must be in base64: data:<type>;base64,…')
  return { type: (head.split(';')[0] ?? '').toLowerCase(), base64: url.slice(comma + 1) }
}
