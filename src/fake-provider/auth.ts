import { header } from './call.ts'
import type { Call } from './call.ts'
import { azureError, cohereError, openaiError } from './reply.ts'
import type { Reply } from './reply.ts'

/** How strictly the fake judges. */
export interface Law {
  /** The keys that are valid; absent: any well-formed one is. */
  readonly keys?: ReadonlySet<string>
  /** Was this key handed out for one realtime session? Absent: none is. */
  readonly isIssued?: (key: string) => boolean
  /** False: unknown fields, names and headers pass, as with a lenient server. */
  readonly strict: boolean
  /** Whether OpenAI's own model names are held to what OpenAI serves them on; others reuse the names. */
  readonly judgesModels: boolean
}

/** The provider's 401 for a missing, malformed or unknown credential. */
export function unauthorized(call: Call, law: Law): Reply | undefined {
  switch (call.route.auth) {
    case 'azure':
      return azureUnauthorized(call, law)
    case 'bearer':
      return bearerUnauthorized(call, law, true)
    case 'bearer_if_any':
      return bearerUnauthorized(call, law, law.keys !== undefined)
    case 'either': {
      const key = header(call, 'api-key')
      if (key === '') return bearerUnauthorized(call, law, true)
      return isKnown(call, key, law) ? undefined : azureDenied()
    }
  }
}

function bearerUnauthorized(call: Call, law: Law, required: boolean): Reply | undefined {
  const authorization = header(call, 'authorization') || browserKey(call)
  // A key under the name of another provider's header is no key here.
  const misplaced = law.strict && (header(call, 'api-key') !== '' || header(call, 'x-api-key') !== '')
  if (authorization === '') return required || misplaced ? noKey(call) : undefined
  const key = /^bearer\s+(\S.*)$/i.exec(authorization)?.[1]
  if (key === undefined) return noKey(call)
  return isKnown(call, key, law) ? undefined : wrongKey(call, key)
}

/** Browsers cannot set headers on a WebSocket: OpenAI takes the key as a subprotocol. */
function browserKey(call: Call): string {
  const key = /openai-insecure-api-key\.([^,\s]+)/.exec(header(call, 'sec-websocket-protocol'))?.[1]
  return key === undefined ? '' : `Bearer ${key}`
}

/** `api-key`, or a bearer that is an Entra token: a JWT (RFC 7519), never the resource's key. */
function azureUnauthorized(call: Call, law: Law): Reply | undefined {
  const key = header(call, 'api-key')
  if (key !== '') return isKnown(call, key, law) ? undefined : azureDenied()
  const token = /^bearer\s+(\S+)$/i.exec(header(call, 'authorization'))?.[1]
  if (token === undefined) return azureDenied()
  if (law.strict && !token.startsWith('ek_') && !/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) {
    return azureError(
      401,
      '401',
      'Unauthorized. Access token is missing, invalid, audience is incorrect, or have expired.',
    )
  }
  return isKnown(call, token, law) ? undefined : azureDenied()
}

function azureDenied(): Reply {
  const message =
    'Access denied due to invalid subscription key or wrong API endpoint. ' +
    'Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.'
  return azureError(401, '401', message)
}

function noKey(call: Call): Reply {
  if (call.route.dialect === 'cohere') return cohereError(401, 'no api key supplied')
  const message =
    "You didn't provide an API key. Send it in an Authorization header: Authorization: Bearer YOUR_KEY."
  return openaiError(401, { message })
}

function wrongKey(call: Call, key: string): Reply {
  if (call.route.dialect === 'cohere') return cohereError(401, 'invalid api token')
  const message = `Incorrect API key provided: ${masked(key)}. Find your API key on your account page.`
  return openaiError(401, { message, code: 'invalid_api_key' })
}

/** OpenAI prints the ends of a wrong key. */
function masked(key: string): string {
  return key.length <= 8
    ? '*'.repeat(key.length)
    : `${key.slice(0, 3)}${'*'.repeat(key.length - 7)}${key.slice(-4)}`
}

/** A key for one realtime session opens that, and nothing else. */
function isKnown(call: Call, key: string, law: Law): boolean {
  const isOpened = call.route.operation === 'realtime' || call.route.operation === 'new_call'
  if (key.startsWith('ek_')) return isOpened && law.isIssued?.(key) === true
  return law.keys === undefined || law.keys.has(key)
}
