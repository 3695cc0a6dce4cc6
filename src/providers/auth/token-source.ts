import type { Secret } from '../../core/secret.ts'
import type { AuthGround } from '../adapter.ts'

/** A token that a service handed out. */
export interface Token {
  readonly secret: Secret
  /** Milliseconds since 1970. */
  readonly receivedAt: number
  readonly expiresAt: number
}

/** Hands out one token after the other. */
export interface TokenSource {
  /**
   * The token itself where a good one is held, else a promise of one.
   * @throws GatewayError (as a rejection) where none is to be had
   */
  get(ground: AuthGround): string | Promise<string>
  /** The tokens that may still be under way somewhere. */
  freshSecrets(): readonly Secret[]
}

/** No token is sent that expires sooner than this, milliseconds, or than a quarter of its life. */
const MARGIN_MS = 30_000
/** The next one is asked for this long before, milliseconds, or when two thirds of its life are over. */
const RENEWAL_MS = 5 * 60_000
/** After a renewal that failed, while the held token is still good, milliseconds. */
const PATIENCE_MS = 10_000

/** What was refused is not asked for again at once, whatever the traffic, milliseconds. */
const REFUSAL_MS = 1_000

interface Held {
  readonly text: string
  readonly expiresAt: number
  renewAt: number
}

/**
 * Holds a token until shortly before it expires, and renews it while it is still good, so that no request waits for
 * the next one and a short outage of the service is felt by none. One fetch at a time, whoever asks.
 */
export function createTokenSource(fetch: (ground: AuthGround) => Promise<Token>): TokenSource {
  let held: Held | undefined
  let fetching: Promise<string> | undefined
  let refused: { readonly error: unknown; readonly until: number } | undefined
  let secrets: readonly Secret[] = []
  const keep = (token: Token): string => {
    const { receivedAt, expiresAt, secret } = token
    const lifeMs = expiresAt - receivedAt
    const text = secret.reveal()
    held = {
      text,
      expiresAt: expiresAt - Math.min(MARGIN_MS, lifeMs / 4),
      renewAt: expiresAt - Math.min(RENEWAL_MS, lifeMs / 3),
    }
    secrets = [secret, ...secrets.slice(0, 1)]
    refused = undefined
    return text
  }
  const renew = (ground: AuthGround): Promise<string> => {
    if (refused !== undefined && ground.now() < refused.until) return Promise.reject(refused.error)
    fetching ??= fetch(ground)
      .then(keep)
      .catch((error: unknown) => {
        refused = { error, until: ground.now() + REFUSAL_MS }
        throw error
      })
      .finally(() => {
        fetching = undefined
      })
    return fetching
  }
  return {
    get: (ground) => {
      const now = ground.now()
      const good = held
      if (good === undefined || now >= good.expiresAt) return renew(ground)
      if (now >= good.renewAt && fetching === undefined) {
        good.renewAt = now + PATIENCE_MS
        // Nobody waits for it; if it fails, the held token is good for a while and the next request tries again.
        renew(ground).catch(() => {})
      }
      return good.text
    },
    freshSecrets: () => secrets,
  }
}
