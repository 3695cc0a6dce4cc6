import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import type { GatewayError } from '../../core/failure.ts'
import { refuse } from '../request/request.ts'
import { camelled, objectIn } from './generate-words.ts'
import { memberOf, objectsOf, present, textOf } from './read-json.ts'

/** The parts of a content, by the names of Google's JSON (https://ai.google.dev/api/caching#Part). */
export function partsIn(parts: Json | undefined, path: string): readonly JsonObject[] {
  return parts === undefined || parts === null ? [] : objectsOf(parts, `${path}.parts`).map(camelled)
}

/** What the user shows or says, as a part of a chat's message. `detail`: how closely to look at pictures. */
export function spokenPart(part: JsonObject, path: string, detail: Json | undefined): readonly JsonObject[] {
  const { text, inlineData, fileData, mediaResolution } = part
  if (typeof text === 'string') return part['thought'] === true ? [] : [{ type: 'text', text }]
  const look = detailOf(memberOf(mediaResolution, 'level')) ?? detailOf(detail)
  if (isJsonObject(inlineData)) return [inlinePart(camelled(inlineData), path, look)]
  if (isJsonObject(fileData)) return [linkedPart(camelled(fileData), path, look)]
  throw untold(part, path)
}

/** Of a turn that holds text alone. @throws GatewayError bad_request where it holds more */
export function textIn(part: JsonObject, path: string): string {
  if (typeof part['text'] === 'string') return part['thought'] === true ? '' : part['text']
  throw untold(part, path)
}

/** A refusal of a part that nothing in a chat stands for. */
export function untold(part: JsonObject, path: string): GatewayError {
  const kind = Object.keys(part).find((name) => !BESIDE.has(name)) ?? 'nothing'
  return refuse(
    `'${path}': a part with '${kind.slice(0, 64)}' cannot be said to this deployment's provider.`,
    'contents',
  )
}

/** What stands beside that which a part holds. */
const BESIDE = new Set(['thought', 'thoughtSignature', 'videoMetadata', 'mediaResolution', 'partMetadata'])

function detailOf(level: Json | undefined): string | undefined {
  const word = textOf(level)?.replace('MEDIA_RESOLUTION_', '').toLowerCase()
  return word === 'low' || word === 'high' ? word : undefined
}

function inlinePart(
  { data, mimeType, displayName }: JsonObject,
  path: string,
  detail: string | undefined,
): JsonObject {
  const type = textOf(mimeType)?.toLowerCase() ?? ''
  if (typeof data !== 'string' || type === '')
    throw refuse(`'${path}.inlineData' needs data and mimeType.`, 'contents')
  const base64 = standard(data)
  if (type.startsWith('image/')) return pictureOf(`data:${type};base64,${base64}`, detail)
  if (type.startsWith('audio/'))
    return { type: 'input_audio', input_audio: { data: base64, format: soundFormat(type) } }
  if (type.startsWith('text/') || type === 'application/json')
    return { type: 'text', text: Buffer.from(base64, 'base64').toString() }
  if (type.startsWith('video/')) throw untoldType(type, `${path}.inlineData`)
  return fileOf(`data:${type};base64,${base64}`, displayName)
}

/** Protocol buffers take base64 of either alphabet, data URLs that of RFC 4648 §4. */
function standard(data: string): string {
  return /[-_]/.test(data) ? data.replaceAll('-', '+').replaceAll('_', '/') : data
}

/** Where Google alone reads: what was uploaded there, its storage, its videos. */
const AT_GOOGLE =
  /^(gs:|https:\/\/generativelanguage\.googleapis\.com\/|https:\/\/((www\.)?youtube\.com|youtu\.be)\/)/
const PICTURE = /\.(png|jpe?g|webp|gif|heic|heif)$/i

function linkedPart(
  { fileUri, mimeType, displayName }: JsonObject,
  path: string,
  detail: string | undefined,
): JsonObject {
  const url = textOf(fileUri) ?? ''
  if (!URL.canParse(url)) throw refuse(`'${path}.fileData.fileUri' must be an address.`, 'contents')
  const named = textOf(mimeType)?.toLowerCase() ?? ''
  const type = named === '' && PICTURE.test(new URL(url).pathname) ? 'image/' : named
  if (AT_GOOGLE.test(url) || !/^https?:/.test(url))
    throw refuse(
      `'${path}.fileData': what lies at Google cannot be read by this deployment's provider: send it as inlineData, or by an https address.`,
      'contents',
    )
  if (type === '') throw refuse(`'${path}.fileData' needs a mimeType.`, 'contents')
  if (type.startsWith('image/')) return pictureOf(url, detail)
  if (type.startsWith('audio/') || type.startsWith('video/')) throw untoldType(type, `${path}.fileData`)
  return fileOf(url, displayName)
}

function untoldType(type: string, path: string): GatewayError {
  return refuse(
    `'${path}': a file of type '${type.slice(0, 64)}' cannot be said to this deployment's provider.`,
    'contents',
  )
}

function pictureOf(url: string, detail: string | undefined): JsonObject {
  return { type: 'image_url', image_url: present({ url, detail }) }
}

function fileOf(data: string, name: Json | undefined): JsonObject {
  return { type: 'file', file: { filename: textOf(name) ?? 'document.pdf', file_data: data } }
}

/** Names that are not the end of the type. */
const SOUNDS: ReadonlyMap<string, string> = new Map([
  ['mpeg', 'mp3'],
  ['vnd.wave', 'wav'],
  ['wave', 'wav'],
  ['mp4', 'm4a'],
])

function soundFormat(type: string): string {
  const [ending = ''] = type.slice('audio/'.length).replace(/^x-/, '').split(';')
  return SOUNDS.get(ending) ?? ending
}

/** What a function gave back: its text, and what of it a chat's tool messages cannot hold. */
export function resultOf(
  { response, parts }: JsonObject,
  path: string,
  detail: Json | undefined,
): { readonly text: string; readonly others: readonly JsonObject[] } {
  const shown = partsIn(parts, `${path}.functionResponse`).flatMap((part, index) =>
    spokenPart(part, `${path}.functionResponse.parts[${index}]`, detail),
  )
  const said = shown.flatMap(({ type, text }) => (type === 'text' ? [textOf(text) ?? ''] : []))
  return {
    text: [outputIn(response), ...said].filter((each) => each !== '').join('\n'),
    others: shown.filter(({ type }) => type !== 'text'),
  }
}

/** "output" is Google's key for what is no object (https://ai.google.dev/api/caching#FunctionResponse). */
function outputIn(response: Json | undefined): string {
  if (response === undefined || response === null) return ''
  const { output, ...more } = objectIn(response)
  return typeof output === 'string' && Object.keys(more).length === 0 ? output : JSON.stringify(response)
}
