import { GatewayError } from '../core/failure.ts'
import type { JsonObject } from '../core/json.ts'
import { scanObject } from '../core/json-spans.ts'
import type { Limits, WireRequest, WireResponse } from '../transport/wire.ts'
import { authorized } from './authorized.ts'
import type { RealtimeKeyRoute } from './adapter.ts'
import { readAnswer } from './answer.ts'
import { cleaned, refusalOf, type Line } from './call.ts'
import { formRequest, type RelayedForm } from './form-request.ts'
import { JSON_HEADERS } from './post-json.ts'

/** A call about something that lives at the provider: a file, a batch, a response. */
export interface ObjectCall {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Below the provider's base, each id percent-encoded: `/files/{id}/content`. */
  readonly path: string
  /** With its `?`; empty where there is none. */
  readonly query: string
  readonly body?: JsonObject
  /** A client's form in place of it. */
  readonly form?: RelayedForm
  /** Default JSON. */
  readonly accept?: string
}

/** A good answer, parsed. */
export interface ObjectAnswer {
  readonly status: number
  readonly headers: WireResponse['headers']
  readonly json: JsonObject
}

/** True where this deployment's provider keeps files and batches in OpenAI's form. */
export function hasObjects(line: Line): boolean {
  return line.adapter.objects !== 'unsupported'
}

/** True where this deployment's provider hands out keys for realtime sessions. */
export function hasRealtimeKeys(line: Line): boolean {
  return line.adapter.realtimeKeys !== 'unsupported'
}

/**
 * The call as a request to this deployment's provider, without credentials.
 * @throws GatewayError misconfigured where the provider keeps no such things, bad_request for a form that may not pass
 */
export function objectRequest(line: Line, call: ObjectCall): WireRequest {
  const url = objectUrl(line, call.path)
  const query = url.includes('?') ? call.query.replace('?', '&') : call.query
  const { method, body, form, accept } = call
  if (form !== undefined) {
    const own = { body: form.fields, spans: scanObject(form.fields), edits: {} }
    return formRequest(url + query, 'application/json', form, own)
  }
  if (body !== undefined)
    return { method, url: url + query, headers: JSON_HEADERS, body: JSON.stringify(body) }
  return { method, url: url + query, headers: { accept: accept ?? 'application/json' } }
}

function objectUrl(line: Line, path: string): string {
  if (path.startsWith(RESPONSES)) return responseUrl(line, path.slice(RESPONSES.length))
  const face = line.adapter.objects
  if (face === 'unsupported') throw lacking(line, 'files and batches')
  return face.url(line.target, path)
}

const RESPONSES = '/responses/'

/** Below where responses are asked for. */
function responseUrl(line: Line, path: string): string {
  const face = line.adapter.surfaces?.responses
  if (face === undefined) throw lacking(line, 'responses to keep')
  const [url = '', query] = face.url(line.target).split('?')
  return `${url}/${path}${query === undefined ? '' : `?${query}`}`
}

/**
 * The request for a key that opens one realtime session, without credentials.
 * @throws GatewayError misconfigured where the provider hands out none
 */
export function realtimeKeyRequest(line: Line, route: RealtimeKeyRoute, body: JsonObject): WireRequest {
  const face = line.adapter.realtimeKeys
  if (face === 'unsupported') throw lacking(line, 'keys for realtime sessions')
  return {
    method: 'POST',
    url: face.url(line.target, route),
    headers: JSON_HEADERS,
    body: JSON.stringify(body),
  }
}

/**
 * Sends a request and reads the JSON object that answers it.
 * @throws GatewayError the provider's refusal, what the network said, or what a 2xx is that is no object; not yet
 * explained, and not redacted
 */
export async function askObject(
  line: Line,
  wire: WireRequest,
  limits: Limits,
  expected: string,
): Promise<ObjectAnswer> {
  const response = await line.transport.send(await authorized(line, wire, limits), limits)
  if (response.status < 200 || response.status > 299) throw refusalOf(line, response)
  return { status: response.status, headers: response.headers, json: objectIn(line, response, expected) }
}

/** A strange answer is quoted, and so read again without its secrets. */
function objectIn(line: Line, response: WireResponse, expected: string): JsonObject {
  try {
    return readAnswer(response, expected)
  } catch (error) {
    readAnswer(cleaned(line, response), expected)
    throw error
  }
}

/** True where both calls would meet the same account: what one has put there, the other one finds. */
export async function isSameAccount(one: Line, other: Line): Promise<boolean> {
  const [first, second] = await Promise.all([one, other].map(accountOf))
  return first === second
}

/** Where files would be asked for, and as whom. Holds secrets: compared, and never kept. */
async function accountOf(line: Line): Promise<string> {
  const wire = objectRequest(line, { method: 'GET', path: '/files', query: '' })
  const { url, headers } = await line.authorize(wire)
  return JSON.stringify([url.replace(/api-version=[^&]*/, ''), headers])
}

function lacking(line: Line, what: string): GatewayError {
  return new GatewayError('misconfigured', `provider "${line.adapter.id}" has no ${what}`, {
    source: 'gateway',
  })
}
