import { createHash } from 'node:crypto'
import { GatewayError } from '../core/failure.ts'
import type { GatewaySettings } from './gateway.ts'

/** Who asked, as the log may say it; a refusal where nobody can be trusted with this. */
export type AdminCheck = () => Admin | GatewayError

/** A holder of the master key. */
export interface Admin {
  readonly by: 'master_key'
  /** The beginning of the key's SHA-256: tells keys apart, and opens nothing. */
  readonly keyHash: string
}

const HASH_CHARS = 8

/**
 * For routes that act, or that make the gateway ask where the caller says: the key check lets only the master key
 * through, and without one everybody would be an administrator, web pages in a browser on this machine included.
 */
export function createAdminCheck({ masterKey }: Pick<GatewaySettings, 'masterKey'>): AdminCheck {
  if (masterKey === undefined) return () => refusal()
  const digest = createHash('sha256').update(masterKey.reveal()).digest('hex')
  const admin: Admin = { by: 'master_key', keyHash: digest.slice(0, HASH_CHARS) }
  return () => admin
}

function refusal(): GatewayError {
  const message = 'This needs a master key, and the gateway has none: set general_settings.master_key.'
  return new GatewayError('auth', message, { status: 403, source: 'client' })
}
