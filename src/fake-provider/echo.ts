import { header } from './call.ts'
import type { Call } from './call.ts'
import { openaiError } from './reply.ts'
import type { Reply } from './reply.ts'

/** Repeats everything that was received, in the text and in headers that a gateway shows: for secret canaries. */
export function echo(call: Call, status: number): Reply {
  const words = received(call)
  const headers = Object.fromEntries(SHOWN_HEADERS.map((name) => [name, words]))
  return openaiError(status, { message: echoMessage(call), code: 'invalid_api_key' }, headers)
}

/** The text of an echo. */
export function echoMessage(call: Call): string {
  return `Incorrect API key provided: ${received(call)}. Received ${call.url} ${JSON.stringify(call.headers)}`
}

/** Headers of an answer that find their way into health pages, logs and error texts. */
const SHOWN_HEADERS = [
  'x-ms-region',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-remaining-tokens',
  'x-request-id',
  'www-authenticate',
] as const

/** Request headers in which no secret can be. */
const PLAIN_HEADERS = new Set([
  'host',
  'connection',
  'content-type',
  'content-length',
  'accept',
  'accept-encoding',
  'transfer-encoding',
  'upgrade',
])

/** Header and query values, fit to be a header themselves (RFC 9110 §5.5). */
function received(call: Call): string {
  const names = Object.keys(call.headers).filter((name) => !PLAIN_HEADERS.has(name))
  const words = [...names.map((name) => header(call, name)), ...call.query.values()].join(' ')
  return words.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '?').trim()
}
