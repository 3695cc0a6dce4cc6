import type { IncomingMessage } from 'node:http'
import type { Json } from '../core/json.ts'
import { isJsonObject } from '../core/json.ts'
import type { Call } from './call.ts'
import { formField, parseMultipart } from './multipart.ts'
import type { Form } from './multipart.ts'
import type { NativeAsked } from './natives/native.ts'
import { nativeOf } from './natives/natives.ts'
import { matchRoute } from './routes.ts'

/** Larger bodies are refused with 413 and the connection closed. */
export const MAX_BODY_BYTES = 256 * 1024 * 1024

/** Reads a request's body; undefined where it is too large. `done` is not called when the client leaves. */
export function readBody(request: IncomingMessage, done: (body: Buffer | undefined) => void): void {
  const chunks: Buffer[] = []
  let size = 0
  request.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= MAX_BODY_BYTES) chunks.push(chunk)
  })
  request.on('end', () => {
    if (size > MAX_BODY_BYTES) done(undefined)
    else done(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))
  })
  // A client that goes away in the middle of its own request needs no answer.
  request.on('error', () => {})
}

/** A body as the journal shows it and as routes read it. */
export interface ReadBody {
  readonly shown: Json
  readonly json?: Extract<Call['json'], object>
  readonly form?: Form
  /** Of a session description. */
  readonly text?: string
}

/** Parses a body by its content type. */
export function parseBody(contentType: string, raw: Buffer): ReadBody {
  if (contentType.includes('json')) return parseJson(raw.toString('utf8'))
  if (contentType.includes('multipart')) {
    const form = parseMultipart(contentType, raw)
    const names = form?.parts.map((part) => [part.name, part.filename ?? null]) ?? []
    const texts = form?.parts.filter((part) => part.filename === undefined) ?? []
    const fields = texts.map((part): [string, string] => [part.name, part.bytes.toString('utf8')])
    const shown = { multipart: names, fields, bytes: raw.length }
    return form === undefined ? { shown } : { shown, form }
  }
  if (contentType.includes('application/sdp')) return { shown: raw.toString(), text: raw.toString() }
  return { shown: raw.length === 0 ? null : { bytes: raw.length } }
}

function parseJson(text: string): ReadBody {
  try {
    const value: Json = JSON.parse(text)
    return isJsonObject(value) ? { shown: value, json: value } : { shown: value }
  } catch {
    return { shown: text } // The route refuses it; the journal shows what came.
  }
}

/** A request's URL, cut at the order segment. */
export interface Address {
  /** The order segment, or undefined where the path starts with the provider's own. */
  readonly segment?: string
  readonly path: string
  readonly query: URLSearchParams
}

const NO_QUERY = new URLSearchParams()

/** Splits a URL; `isOrder` says whether a first segment is an order or a name that has one. */
export function parseAddress(url: string, isOrder: (segment: string) => boolean): Address {
  const mark = url.indexOf('?')
  const whole = mark < 0 ? url : url.slice(0, mark)
  const query = mark < 0 ? NO_QUERY : new URLSearchParams(url.slice(mark + 1))
  const end = whole.indexOf('/', 1)
  const segment = whole.slice(1, end < 0 ? undefined : end)
  if (!isOrder(segment)) return { path: whole, query }
  return { segment, path: end < 0 ? '/' : whole.slice(end), query }
}

/** What a request came with besides its head. */
interface Came {
  readonly read: ReadBody
  readonly raw: Buffer
  readonly keys?: ReadonlySet<string>
}

/** Puts the pieces of a request together. */
export function toCall(request: IncomingMessage, address: Address, came: Came): Call {
  const { path, query } = address
  const { read: body } = came
  const native = nativeAsked(request, address, came)
  const { route, named, id } = matchRoute(path, query.has('api-version'), request.method)
  const inBody = body.json?.['model'] ?? (body.form && formField(body.form, 'model'))
  const inQuery = query.get('model') ?? query.get('deployment')
  const model = named ?? (typeof inBody === 'string' ? inBody : (inQuery ?? 'm'))
  return {
    route,
    method: request.method ?? 'GET',
    url: request.url ?? '/',
    path,
    query,
    headers: request.headers,
    model,
    ...(native === undefined ? {} : { native }),
    ...(id === undefined ? {} : { id }),
    ...(body.json === undefined ? {} : { json: body.json }),
    ...(body.form === undefined ? {} : { form: body.form }),
    ...(body.text === undefined ? {} : { text: body.text }),
  }
}

function nativeAsked(
  { method = 'GET', url = '/', headers }: IncomingMessage,
  { path, query }: Address,
  { read, raw, keys }: Came,
): NativeAsked | undefined {
  const found = nativeOf(path)
  if (found === undefined) return undefined
  const { native } = found
  const bodies = {
    ...(read.json !== undefined && { json: read.json }),
    ...(read.form !== undefined && { form: read.form }),
  }
  const call = { method, url, path: found.path, query, headers, body: raw, ...bodies, ...(keys && { keys }) }
  return { native, call }
}
