import { entryOf } from '../../core/entry-of.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { textOf } from '../answer.ts'
import { generationOf, unsayable, type Surface } from './surface.ts'

/** What a conversation is written for. */
export interface Listener {
  readonly surface: Surface
  readonly model: string
}

/** Types by the end of a name (https://ai.google.dev/gemini-api/docs/file-input-methods). */
const TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  heic: 'image/heic',
  heif: 'image/heif',
  pdf: 'application/pdf',
  txt: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  html: 'text/html',
  json: 'application/json',
  mp3: 'audio/mp3',
  wav: 'audio/wav',
  flac: 'audio/flac',
  ogg: 'audio/ogg',
  aac: 'audio/aac',
  aiff: 'audio/aiff',
  m4a: 'audio/mp4',
  mp4: 'video/mp4',
  mov: 'video/mov',
  webm: 'video/webm',
  mpeg: 'video/mpeg',
}

/**
 * A message's content as Gemini's parts (https://ai.google.dev/api/caching#Part). Empty texts are left out: they are
 * refused.
 * @throws GatewayError bad_request for a part that has no words there
 */
export function toParts(content: Json | undefined, where: string, listener: Listener): readonly JsonObject[] {
  if (content === undefined || content === null || content === '') return []
  if (typeof content === 'string') return [{ text: content }]
  if (!Array.isArray(content)) throw unsayable(`'${where}' must be a text or a list of parts.`, where)
  const parts: readonly Json[] = content
  return parts.flatMap((part, at) => toPart(part, `${where}[${at}]`, listener))
}

function toPart(part: Json, where: string, listener: Listener): readonly JsonObject[] {
  if (!isJsonObject(part)) throw unsayable(`'${where}' must be an object.`, where)
  switch (part['type']) {
    case 'text':
    case 'input_text':
    case 'output_text':
    case 'refusal': {
      const text = textOf(part['text']) ?? textOf(part['refusal']) ?? ''
      return text === '' ? [] : [{ text }]
    }
    case 'image_url':
    case 'video_url':
      return [linked(part[part['type']], where, listener)]
    case 'input_audio':
      return [sound(part['input_audio'], where)]
    case 'file':
      return [file(part['file'], where, listener)]
    default:
      throw unsayable(
        `'${where}' is of a type that Gemini has no words for: ${JSON.stringify(part['type'] ?? null)}.`,
        where,
      )
  }
}

/** `{url, detail, format}`, or the bare address. */
function linked(value: Json | undefined, where: string, listener: Listener): JsonObject {
  const url = textOf(isJsonObject(value) ? value['url'] : value)
  if (url === undefined || url === '') throw unsayable(`'${where}' needs a url.`, where)
  const type = isJsonObject(value) ? textOf(value['format']) : undefined
  const detail = isJsonObject(value) ? textOf(value['detail']) : undefined
  return { ...media(url, type, where, listener), ...resolution(detail, listener.model) }
}

/** How closely to look, which only the third generation is told part by part (https://ai.google.dev/gemini-api/docs/media-resolution). */
function resolution(detail: string | undefined, model: string): JsonObject {
  const level = entryOf(LEVELS, detail ?? '')
  return level !== undefined && knowsDetail(model) ? { mediaResolution: { level } } : {}
}

/** OpenAI's `original` is as large as it comes. */
const LEVELS: Readonly<Record<string, string>> = {
  low: 'MEDIA_RESOLUTION_LOW',
  high: 'MEDIA_RESOLUTION_HIGH',
  original: 'MEDIA_RESOLUTION_HIGH',
}

/** Is it told part by part how closely to look? */
export function knowsDetail(model: string): boolean {
  return (generationOf(model) ?? 0) >= 3
}

function sound(value: Json | undefined, where: string): JsonObject {
  const data = isJsonObject(value) ? textOf(value['data']) : undefined
  const format = isJsonObject(value) ? textOf(value['format']) : undefined
  if (data === undefined || format === undefined)
    throw unsayable(`'${where}.input_audio' needs data and format.`, where)
  return { inlineData: { mimeType: entryOf(TYPES, format) ?? `audio/${format}`, data } }
}

/** A file's bytes in `file_data`, or where it lies in `file_id`. Files that were uploaded elsewhere are not there. */
function file(value: Json | undefined, where: string, listener: Listener): JsonObject {
  const described = isJsonObject(value) ? value : {}
  const data = textOf(described['file_data'])
  const id = textOf(described['file_id'])
  const type = textOf(described['format']) ?? typeByName(textOf(described['filename']))
  if (data !== undefined) {
    if (/^(data:|https?:|gs:)/.test(data)) return media(data, type, where, listener)
    return { inlineData: { mimeType: type ?? 'application/pdf', data } }
  }
  if (id !== undefined && /^(https?|gs):\/\//.test(id)) return media(id, type, where, listener)
  throw unsayable(`'${where}.file' needs file_data, or a file_id that is an address Google can read.`, where)
}

function media(url: string, type: string | undefined, where: string, { surface }: Listener): JsonObject {
  if (url.startsWith('data:')) return { inlineData: inlined(url, type, where) }
  if (!/^(https?|gs):\/\//.test(url)) throw unsayable(`'${where}' holds no address of a file.`, where)
  const mimeType = type ?? typeByName(url)
  // Only what Google keeps itself has a type that is known there.
  if (mimeType === undefined && !surface.reads(url))
    throw unsayable(`'${where}' does not show what type of file it is: give its format.`, where)
  return { fileData: { ...(mimeType !== undefined && { mimeType }), fileUri: url } }
}

/** The bytes of a `data:` URL (RFC 2397), as base64 whatever they were written in. */
function inlined(url: string, type: string | undefined, where: string): JsonObject {
  const comma = url.indexOf(',')
  if (comma < 0) throw unsayable(`'${where}' holds a data: URL without data.`, where)
  const [written = '', ...flags] = url.slice('data:'.length, comma).split(';')
  const mimeType = type ?? (written === '' ? 'text/plain' : written)
  const data = url.slice(comma + 1)
  if (flags.at(-1) === 'base64') return { mimeType, data }
  return { mimeType, data: Buffer.from(decoded(data, where)).toString('base64') }
}

function decoded(text: string, where: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (!(error instanceof URIError)) throw error
    throw unsayable(`'${where}' holds a data: URL that cannot be decoded.`, where)
  }
}

function typeByName(name: string | undefined): string | undefined {
  const ending = /\.([A-Za-z0-9]+)(?:[?#].*)?$/.exec(name ?? '')?.[1]
  return ending === undefined ? undefined : entryOf(TYPES, ending.toLowerCase())
}
