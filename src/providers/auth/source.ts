import type { Clock } from '../../core/clock.ts'
import { GatewayError } from '../../core/failure.ts'
import type { Secret } from '../../core/secret.ts'
import { within } from '../later.ts'
import type { AuthGround, Fetch, Granted, Source } from './ground.ts'

/** Nothing is sent that expires sooner than this, milliseconds, or than a quarter of its life. */
const MARGIN_MS = 30_000
/** The next one is asked for this long before, milliseconds, or when two thirds of its life are over. */
const RENEWAL_MS = 5 * 60_000
/** After a renewal that failed, while the held one is still good, milliseconds. */
const PATIENCE_MS = 10_000
/** What was refused is not asked for again at once, whatever the traffic, milliseconds; and not before the service says, */
const REFUSAL_MS = 1_000
/** unless it says a very long time. */
const LONGEST_REFUSAL_MS = 60_000
/** What has ended by our clock when it comes is tried all the same, for so long, milliseconds: clocks differ. */
const LEAST_LIFE_MS = 10_000
/** Nobody waits longer, however many services and files a fetch takes, milliseconds. */
const DEADLINE_MS = 30_000

interface Held<Value> {
  readonly value: Value
  readonly expiresAt: number
  renewAt: number
}

/**
 * Holds a token until shortly before it expires, and renews it while it is still good, so that no request waits for
 * the next one and a short outage of the service is felt by none. One fetch at a time, whoever asks.
 */
export function createSource<Value>(fetch: Fetch<Value>, clock: Pick<Clock, 'after'>): Source<Value> {
  let held: Held<Value> | undefined
  let fetching: Promise<Value> | undefined
  let refused: { readonly error: unknown; readonly until: number } | undefined
  let secrets: readonly Secret[] = []
  let newest: readonly Secret[] = []
  const keep = ({ value, expiresAt, receivedAt, secrets: own }: Granted<Value>): Value => {
    const lifeMs = Math.max(expiresAt - receivedAt, LEAST_LIFE_MS)
    const endsAt = receivedAt + lifeMs
    held = {
      value,
      expiresAt: endsAt - Math.min(MARGIN_MS, lifeMs / 4),
      renewAt: endsAt - Math.min(RENEWAL_MS, lifeMs / 3),
    }
    // Those before may still be echoed by whoever was sent them.
    secrets = [...own, ...newest]
    newest = own
    refused = undefined
    return value
  }
  const renew = (ground: AuthGround): Promise<Value> => {
    if (refused !== undefined && ground.now() < refused.until) return Promise.reject(refused.error)
    // What comes later is kept for those who ask then.
    fetching ??= within(fetch(ground).then(keep), DEADLINE_MS, clock, 'no credentials came')
      .catch((error: unknown) => {
        refused = { error, until: ground.now() + refusalMs(error) }
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
        // Nobody waits for it; if it fails, the held one is good for a while and the next request tries again.
        renew(ground).catch(() => {})
      }
      return good.value
    },
    freshSecrets: () => secrets,
  }
}

function refusalMs(error: unknown): number {
  const wait = error instanceof GatewayError ? (error.retryAfterMs ?? 0) : 0
  return Math.min(Math.max(wait, REFUSAL_MS), LONGEST_REFUSAL_MS)
}
