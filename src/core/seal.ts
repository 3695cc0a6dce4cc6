import { createCipheriv, createDecipheriv, scryptSync } from 'node:crypto'
import type { Secret } from './secret.ts'

/** Makes texts that only their maker can read or make. */
export interface Seal {
  /** In letters, digits, `-` and `_`. */
  seal(text: string): string
  /** Undefined for what this seal has not made, or what was altered since. */
  open(sealed: string): string | undefined
}

const IV_BYTES = 12
const TAG_BYTES = 16

/**
 * AES-256-GCM with a key of its own for each purpose, derived from one secret: who has the secret, and nobody else,
 * opens what others with it have sealed. What is sealed is given to strangers, who may guess at the secret as long as
 * they like: scrypt (RFC 7914) makes each guess dear. It takes some 50 ms, once, when the seal is first needed.
 */
export function createSeal(secret: Secret, purpose: string, randomBytes: (size: number) => Buffer): Seal {
  let derived: Buffer | undefined
  const key = (): Buffer => (derived ??= scryptSync(secret.reveal(), `pulsegate ${purpose}`, 32))
  return {
    seal: (text) => {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key(), iv)
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url')
    },
    open: (sealed) => {
      const bytes = Buffer.from(sealed, 'base64url')
      if (bytes.length <= IV_BYTES + TAG_BYTES || bytes.toString('base64url') !== sealed) return undefined
      const decipher = createDecipheriv('aes-256-gcm', key(), bytes.subarray(0, IV_BYTES), {
        authTagLength: TAG_BYTES,
      })
      decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
      try {
        const start = decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES))
        return Buffer.concat([start, decipher.final()]).toString()
      } catch {
        // Node says no more than that the tag does not fit: another's, or altered.
        return undefined
      }
    },
  }
}
