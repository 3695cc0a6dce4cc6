import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { asGatewayError, GatewayError } from '../core/failure.ts'
import type { Secret } from '../core/secret.ts'
import type { SessionGrant, SessionKeys } from '../routing/realtime/session-keys.ts'

/** Undefined where the request may pass. `isSession`: it wants a realtime session, so that a key for one will do. */
export type KeyCheck = (headers: IncomingHttpHeaders, isSession?: boolean) => GatewayError | undefined

/** What a key for one realtime session is read with. */
type ReadSessionKey = Pick<SessionKeys, 'read'>

/** Where clients put the key, besides `authorization`: LiteLLM's own, Azure's and Anthropic's. */
const KEY_HEADERS = ['x-litellm-api-key', 'api-key', 'x-api-key', 'x-goog-api-key'] as const
const BEARER = /^Bearer +(\S+)$/i
/** What the subprotocol begins with that carries a key: browsers cannot set headers for a WebSocket (OpenAI's form). */
export const KEY_PROTOCOL = 'openai-insecure-api-key.'

/** What the config says about the key. */
export interface KeySettings {
  readonly masterKey?: Secret
  /** A key is meant to be asked for, but its variable is not set. */
  readonly isMasterKeyUnset: boolean
}

/** Checks the master key; without one everything is open, and with an unset one everything is closed. */
export function createKeyCheck(
  { masterKey, isMasterKeyUnset }: KeySettings,
  sessionKeys: ReadSessionKey,
): KeyCheck {
  if (isMasterKeyUnset) return () => unset()
  if (masterKey === undefined) return () => undefined
  const isMasterKey = createKeyMatch(masterKey)
  return (headers, isSession = false) => {
    const { authorization = '' } = headers
    // Nearly all requests bring it like this, and nothing else.
    if (authorization.startsWith('Bearer ') && isMasterKey(authorization.slice(7))) return undefined
    const keys = offeredKeys(headers)
    if (keys.some(isMasterKey)) return undefined
    if (!isSession) return refusal(headers, keys)
    const found = sessionGrant(headers, sessionKeys)
    return found === undefined ? refusal(headers, keys) : found instanceof GatewayError ? found : undefined
  }
}

/** Keys that are longer are compared by their digests. */
const PLAIN_KEY_CHARS = 256

/**
 * Compares keys in a time that tells nothing of the right one, not even its length: as many bytes each time. (A digest
 * of each key would do as well, at ten times the cost.)
 */
function createKeyMatch(masterKey: Secret): (key: string) => boolean {
  const wanted = masterKey.reveal()
  if (wanted.length > PLAIN_KEY_CHARS || Buffer.from(wanted, 'latin1').toString('latin1') !== wanted) {
    const expected = digest(wanted)
    return (key) => timingSafeEqual(digest(key), expected)
  }
  const expected = padded(wanted, Buffer.alloc(PLAIN_KEY_CHARS))
  const offered = Buffer.alloc(PLAIN_KEY_CHARS)
  return (key) => {
    const isEqual = timingSafeEqual(padded(key, offered), expected)
    return key.length <= PLAIN_KEY_CHARS && isEqual
  }
}

/** Header values are one byte a character (RFC 9110 §5.5), and none of them is 0. */
function padded(key: string, bytes: Buffer): Buffer {
  return bytes.fill(0, bytes.write(key, 'latin1'))
}

/** What the first key for a realtime session among those offered is good for, or why it is not; undefined: none is. */
export function sessionGrant(
  headers: IncomingHttpHeaders,
  sessionKeys: ReadSessionKey,
): SessionGrant | GatewayError | undefined {
  try {
    for (const key of offeredKeys(headers)) {
      const grant = sessionKeys.read(key)
      if (grant !== undefined) return grant
    }
    return undefined
  } catch (error) {
    return asGatewayError(error)
  }
}

function offeredKeys(headers: IncomingHttpHeaders): readonly string[] {
  const keys: string[] = []
  const bearer = BEARER.exec(headers.authorization ?? '')?.[1]
  if (bearer !== undefined) keys.push(bearer)
  for (const name of KEY_HEADERS) {
    const value = headers[name]
    if (typeof value === 'string' && value !== '') keys.push(BEARER.exec(value)?.[1] ?? value)
  }
  for (const offered of headers['sec-websocket-protocol']?.split(',') ?? []) {
    const name = offered.trim()
    if (name.startsWith(KEY_PROTOCOL)) keys.push(name.slice(KEY_PROTOCOL.length))
  }
  return keys
}

function refusal(headers: IncomingHttpHeaders, keys: readonly string[]): GatewayError {
  const message =
    keys.length > 0
      ? 'Authentication Error, the key is not valid for this gateway.'
      : headers.authorization === undefined
        ? 'Authentication Error, No api key passed in. Send `Authorization: Bearer <key>`.'
        : 'Authentication Error, Malformed API Key passed in. Ensure Key has `Bearer ` prefix.'
  return new GatewayError('auth', message, { status: 401, source: 'client' })
}

function unset(): GatewayError {
  const message =
    'Authentication Error, no key can be right: the variable that general_settings.master_key names is not set.'
  return new GatewayError('auth', message, { status: 401, source: 'gateway' })
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
