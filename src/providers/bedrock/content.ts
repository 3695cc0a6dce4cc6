import { entryOf } from '../../core/entry-of.ts'
import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { textOf } from '../answer.ts'
import { cachePoint } from './caches.ts'

/** What Bedrock cannot be told, as the client's mistake. */
export function unsayable(message: string, param: string): GatewayError {
  return new GatewayError('bad_request', message, { param, source: 'client' })
}

/**
 * A message's content in Converse's blocks (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html).
 * Texts without a visible character are left out: Bedrock refuses them.
 */
export function contentBlocks(content: Json | undefined): readonly JsonObject[] {
  if (content === undefined || content === null) return []
  if (typeof content === 'string') return textBlocks(content)
  if (!Array.isArray(content)) throw unsayable("'content' must be a text or a list of parts", 'messages')
  return content.flatMap((part: Json) => partBlocks(part))
}

function partBlocks(part: Json): readonly JsonObject[] {
  if (typeof part === 'string') return textBlocks(part)
  if (!isJsonObject(part)) throw unsayable('every part of a message must be an object', 'messages')
  return [...blocksOf(part), ...cachePoint(part)]
}

function blocksOf(part: JsonObject): readonly JsonObject[] {
  const type = textOf(part['type']) ?? 'nothing'
  switch (type) {
    case 'text':
      return textBlocks(textOf(part['text']) ?? '')
    case 'refusal':
      return textBlocks(textOf(part['refusal']) ?? '')
    case 'image_url':
      return [imageBlock(part['image_url'])]
    case 'file':
      return [fileBlock(part['file'])]
    case 'input_audio':
      return [audioBlock(part['input_audio'])]
    default:
      throw unsayable(`a part of type '${type}' cannot be sent to Bedrock`, 'messages')
  }
}

export function textBlocks(text: string): readonly JsonObject[] {
  return text.trim() === '' ? [] : [{ text }]
}

/** `image/jpg` is nobody's official name, and common. */
const IMAGE_FORMATS: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpeg',
  'image/jpg': 'jpeg',
  'image/gif': 'gif',
  'image/webp': 'webp',
}

function imageBlock(image: Json | undefined): JsonObject {
  const url = textOf(isJsonObject(image) ? image['url'] : image) ?? ''
  if (url.startsWith('s3://')) {
    const [, ending = ''] = /\.(png|jpe?g|gif|webp)$/i.exec(url) ?? []
    const format = ending.toLowerCase().replace('jpg', 'jpeg') || 'png'
    return { image: { format, source: { s3Location: { uri: url } } } }
  }
  const data = dataOf(url)
  const format = data === undefined ? undefined : entryOf(IMAGE_FORMATS, data.type)
  if (data === undefined || format === undefined)
    throw unsayable('an image must be PNG, JPEG, GIF or WebP, as a data: or http(s) URL', 'messages')
  return { image: { format, source: { bytes: data.bytes } } }
}

const DOCUMENT_FORMATS: Readonly<Record<string, string>> = {
  'application/pdf': 'pdf',
  'text/csv': 'csv',
  'text/html': 'html',
  'text/markdown': 'md',
  'text/plain': 'txt',
  'application/msword': 'doc',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.ms-excel': 'xls',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
}

function fileBlock(file: Json | undefined): JsonObject {
  const { file_data: written, filename } = isJsonObject(file) ? file : {}
  const data = dataOf(textOf(written) ?? '')
  if (data === undefined)
    throw unsayable("a file must come with its 'file_data', as a data: or http(s) URL", 'messages')
  const image = entryOf(IMAGE_FORMATS, data.type)
  if (image !== undefined) return { image: { format: image, source: { bytes: data.bytes } } }
  const format = entryOf(DOCUMENT_FORMATS, data.type)
  if (format === undefined)
    throw unsayable(`a file of type '${data.type}' cannot be sent to Bedrock`, 'messages')
  return { document: { format, name: documentName(textOf(filename)), source: { bytes: data.bytes } } }
}

/**
 * What Bedrock allows in a name: letters, digits, single spaces, hyphens, parentheses and square brackets
 * (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html).
 */
function documentName(filename: string | undefined): string {
  const stem = (filename ?? '').replace(/\.\w{1,5}$/, '')
  const name = stem.replaceAll(/[^A-Za-z0-9\s()[\]-]/g, '-').replaceAll(/\s+/g, ' ')
  return name.trim().slice(0, 200) || 'document'
}

/** OpenAI's two formats, and what others say beside them. */
function audioBlock(audio: Json | undefined): JsonObject {
  const { data, format } = isJsonObject(audio) ? audio : {}
  if (typeof data !== 'string' || typeof format !== 'string')
    throw unsayable("'input_audio' needs 'data' and 'format'", 'messages')
  return { audio: { format, source: { bytes: data } } }
}

/** The type and the base64 text of a `data:` URL; undefined for anything else. */
function dataOf(url: string): { readonly type: string; readonly bytes: string } | undefined {
  if (!url.startsWith('data:')) return undefined
  const comma = url.indexOf(',')
  const [type = '', ...rest] = url.slice('data:'.length, comma).toLowerCase().split(';')
  const bytes = url.slice(comma + 1)
  if (comma < 0) return undefined
  if (rest.includes('base64')) return { type, bytes }
  return { type, bytes: Buffer.from(decodeURIComponent(bytes)).toString('base64') }
}
