import type { Clock } from '../../core/clock.ts'
import { GatewayError } from '../../core/failure.ts'
import type { Seal } from '../../core/seal.ts'
import { Secret } from '../../core/secret.ts'

/** What a session key is good for: one model at one deployment, until then. */
export interface SessionGrant {
  readonly deploymentId: string
  /** The name that it was asked for by. */
  readonly model: string
  /** The provider's own key for this session. */
  readonly key: Secret
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number
}

/** Keys that a browser may have: they open a realtime session here, and nothing else. */
export interface SessionKeys {
  /** The grant as a key; all of it is inside, sealed. */
  give(grant: SessionGrant): string
  /**
   * Undefined for keys of other kinds.
   * @throws GatewayError auth (401, the client's doing) for one that is over, or was not given by this gateway
   */
  read(key: string): SessionGrant | undefined
}

/** As OpenAI's keys of this kind begin. */
const MARK = 'ek_pg1_'

/** Makes the keys of one gateway. Instances that share the seal's secret take each other's. */
export function createSessionKeys(seal: Seal, clock: Pick<Clock, 'now'>): SessionKeys {
  return {
    give: ({ deploymentId, model, key, expiresAtMs }) =>
      MARK + seal.seal(JSON.stringify([deploymentId, model, key.reveal(), expiresAtMs])),
    read: (text) => {
      if (!text.startsWith(MARK)) return undefined
      const opened = seal.open(text.slice(MARK.length))
      if (opened === undefined) throw refused('it was not given by this gateway, or was altered since')
      const grant = readGrant(JSON.parse(opened))
      if (grant.expiresAtMs <= clock.now()) throw refused('it has expired; ask for a new one')
      return grant
    },
  }
}

/** Sealed, it is what `give` wrote; only a bug could make it anything else. */
function readGrant(value: unknown): SessionGrant {
  const [deploymentId, model, key, expiresAtMs]: readonly unknown[] = Array.isArray(value) ? value : []
  if (
    typeof deploymentId !== 'string' ||
    typeof model !== 'string' ||
    typeof key !== 'string' ||
    typeof expiresAtMs !== 'number'
  )
    throw refused('it is of another version of this gateway')
  return { deploymentId, model, key: new Secret(key), expiresAtMs }
}

function refused(why: string): GatewayError {
  const message = `Authentication Error, this realtime session key is not valid: ${why}.`
  return new GatewayError('auth', message, { status: 401, source: 'client' })
}
