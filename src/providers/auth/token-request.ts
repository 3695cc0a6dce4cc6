import { asGatewayError, GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import { createRedact, Secret, type Redact } from '../../core/secret.ts'
import type { WireRequest, WireResponse } from '../../transport/wire.ts'
import { bodyText, oneLine } from '../error-facts.ts'
import { retryAfterMs } from '../retry-after.ts'
import type { AuthGround, Granted } from './ground.ts'

/** One question for a token, and how to read what is wrong with it. */
export interface TokenRequest {
  /** The service's name in sentences: `Entra ID`. */
  readonly service: string
  readonly wire: WireRequest
  /** What the request holds that no error may repeat. */
  readonly secrets: readonly Secret[]
  /** The setting that a refusal is about, by its machine word and its sentence: `client_secret`. */
  blamed(code: string, text: string): string
}

/** From asking to the last byte, milliseconds. */
const TIMEOUT_MS = 10_000
/** A token with many groups in it is a few KB long. */
const MAX_BYTES = 256 * 1024
/** Of a token that does not say how long it lives, milliseconds. */
const UNSAID_LIFE_MS = 5 * 60_000

/** The headers of a form (RFC 6749 §4.4.2). */
export const FORM_HEADERS = {
  accept: 'application/json',
  'content-type': 'application/x-www-form-urlencoded',
} as const

/** A POST of a form. */
export function postForm(url: string, fields: Readonly<Record<string, string>>): WireRequest {
  return { method: 'POST', url, headers: FORM_HEADERS, body: new URLSearchParams(fields).toString() }
}

/**
 * Asks a service for a token.
 * @throws GatewayError auth where it refuses the credentials; another kind where it, or the way to it, is out of
 * order. The deployment's own host is not to blame then: never `unreachable`.
 */
export async function requestToken(asked: TokenRequest, ground: AuthGround): Promise<Granted<string>> {
  const limits = { timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES }
  let response: WireResponse
  try {
    response = await ground.transport.send(asked.wire, limits)
  } catch (error) {
    throw notReached(`no token from ${placeOf(asked)}`, error, createRedact(asked.secrets))
  }
  const body = parseJson(bodyText(response))
  const answer = isJsonObject(body) ? body : {}
  if (response.status < 200 || response.status > 299) throw refusalOf(asked, response, answer)
  const text = answer['access_token']
  if (typeof text !== 'string' || text === '') {
    throw new GatewayError(
      'wrong_shape',
      `no token: ${placeOf(asked)} answered ${response.status} without an access_token`,
    )
  }
  const receivedAt = ground.now()
  return granted(text, receivedAt, expiryOf(answer, receivedAt))
}

/** A token as it is held. */
export function granted(text: string, receivedAt: number, expiresAt: number): Granted<string> {
  return { value: text, secrets: [new Secret(text)], receivedAt, expiresAt }
}

/** `expires_in` in seconds from now, else `expires_on` (Azure) or `expiration` (IBM) in seconds since 1970. */
function expiryOf(answer: JsonObject, now: number): number {
  const lifeS = secondsOf(answer['expires_in'])
  if (lifeS !== undefined) return now + lifeS * 1_000
  const atS = secondsOf(answer['expires_on']) ?? secondsOf(answer['expiration'])
  return atS === undefined || atS * 1_000 <= now ? now + UNSAID_LIFE_MS : atS * 1_000
}

/** Azure's managed identities write numbers as texts. */
function secondsOf(value: Json | undefined): number | undefined {
  const seconds = typeof value === 'string' && value !== '' ? Number(value) : value
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0 ? seconds : undefined
}

/** Whoever hands out tokens could not be asked. That is no fault of the deployment's own host: never `unreachable`. */
export function notReached(what: string, thrown: unknown, redact: Redact = (text) => text): GatewayError {
  const error = asGatewayError(thrown)
  const kind = error.kind === 'unreachable' || error.kind === 'tls' ? 'server_error' : error.kind
  return new GatewayError(kind, `${what}: ${redact(error.message)}`, { cause: error, source: error.source })
}

/** Everything in such a request is a credential or says whose it is: what is refused of it is refused as one. */
function refusalOf(asked: TokenRequest, response: WireResponse, answer: JsonObject): GatewayError {
  const { status, headers } = response
  const code = codeOf(answer)
  const text = createRedact(asked.secrets)(sentenceOf(answer, bodyText(response)))
  const said = `${code === '' ? '' : ` (${code})`}${text === '' ? '' : `: ${text}`}`
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
    const what = asked.blamed(code, text)
    return new GatewayError(
      'auth',
      `no token: ${placeOf(asked)} answered ${status} and refused ${what}${said}`,
    )
  }
  const wait = retryAfterMs(status, headers)
  return new GatewayError(
    status === 429 || status === 503 ? 'overloaded' : 'server_error',
    `no token: ${placeOf(asked)} answered ${status}${said}`,
    { upstreamStatus: status >= 400 ? status : 500, ...(wait === undefined ? {} : { retryAfterMs: wait }) },
  )
}

/** `error` of OAuth (RFC 6749 §5.2), `errorCode` of IBM's IAM. */
function codeOf(answer: JsonObject): string {
  const code = [answer['error'], answer['errorCode']].find((one) => typeof one === 'string')
  return typeof code === 'string' && code.length <= 100 ? code : ''
}

/** Entra's sentence is followed by lines of ids; only the sentence helps. */
function sentenceOf(answer: JsonObject, body: string): string {
  const said = [answer['error_description'], answer['errorMessage'], answer['message']]
  const text = said.find((one) => typeof one === 'string' && one !== '')
  if (typeof text === 'string') return oneLine(text.split(/\r?\n/)[0] ?? '')
  return Object.keys(answer).length > 0 ? '' : oneLine(body.slice(0, 200))
}

/** Service and address, without the query. */
function placeOf({ service, wire }: TokenRequest): string {
  return `${service} at ${wire.url.split('?')[0] ?? ''}`
}
