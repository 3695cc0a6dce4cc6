import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { GatewayError } from '../core/failure.ts'
import type { Secret } from '../core/secret.ts'

/** Undefined where the request may pass. */
export type KeyCheck = (headers: IncomingHttpHeaders) => GatewayError | undefined

/** Where clients put the key, besides `authorization`: LiteLLM's own, Azure's and Anthropic's. */
const KEY_HEADERS = ['x-litellm-api-key', 'api-key', 'x-api-key'] as const
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
export function createKeyCheck({ masterKey, isMasterKeyUnset }: KeySettings): KeyCheck {
  if (isMasterKeyUnset) return () => unset()
  if (masterKey === undefined) return () => undefined
  const expected = digest(masterKey.reveal())
  return (headers) => {
    const keys = offeredKeys(headers)
    // Digests have one length, so that the comparison tells nothing of the key's.
    if (keys.some((key) => timingSafeEqual(digest(key), expected))) return undefined
    return refusal(headers, keys)
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
