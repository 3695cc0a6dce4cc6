import { hash } from 'node:crypto'
import { systemClock, type Clock } from '../../core/clock.ts'
import { Secret } from '../../core/secret.ts'
import type { AuthGround, Credentials, Fetch, Shares, Source } from './ground.ts'
import type { AwsKeys } from './sigv4.ts'
import { createSource } from './source.ts'

/** So many credentials of a kind are remembered; the one that was needed longest ago goes first. */
const MOST = 1_000

/** What a credential is made of: all that tells it from others. */
export type Identity = readonly (Secret | string | undefined)[]

/**
 * Makes the memory of tokens that deployments share. It belongs to one transport and one environment: what credentials
 * mean depends on both. Whoever has found a source keeps it, also when it is forgotten here.
 */
export function createCredentials(clock: Pick<Clock, 'after'> = systemClock, most = MOST): Credentials {
  return { tokens: createShares(clock, most), awsKeys: createShares(clock, most) }
}

/** Credentials by the transport that they are got on. */
export interface CredentialsByTransport {
  of(transport: AuthGround['transport']): Credentials
}

/** Makes them; those of a transport that is gone go with it. */
export function createCredentialsByTransport(clock: Pick<Clock, 'after'>): CredentialsByTransport {
  const made = new WeakMap<AuthGround['transport'], Credentials>()
  return {
    of: (transport) => {
      const known = made.get(transport)
      if (known !== undefined) return known
      const credentials = createCredentials(clock)
      made.set(transport, credentials)
      return credentials
    },
  }
}

function createShares<Value>(clock: Pick<Clock, 'after'>, most: number): Shares<Value> {
  const sources = new Map<string, Source<Value>>()
  return {
    of: (id, fetch) => {
      const source = sources.get(id) ?? createSource(fetch, clock)
      sources.delete(id)
      sources.set(id, source)
      const [oldest] = sources.keys()
      if (sources.size > most && oldest !== undefined) sources.delete(oldest)
      return source
    },
  }
}

/** The tokens of a credential; `who` is all that tells it from others, `fetch` included. */
export function sharedTokens(who: Identity, fetch: Fetch<string>): Source<string> {
  return shared((ground) => ground.credentials.tokens, who, fetch)
}

/** The same for AWS's keys. */
export function sharedAwsKeys(who: Identity, fetch: Fetch<AwsKeys>): Source<AwsKeys> {
  return shared((ground) => ground.credentials.awsKeys, who, fetch)
}

const NOTHING: readonly Secret[] = []

/** Found when it is first needed, and from then on at hand. */
function shared<Value>(
  sharesOf: (ground: AuthGround) => Shares<Value>,
  who: Identity,
  fetch: Fetch<Value>,
): Source<Value> {
  let source: Source<Value> | undefined
  return {
    get: (ground) => {
      source ??= sharesOf(ground).of(fingerprint(who), fetch)
      return source.get(ground)
    },
    freshSecrets: () => source?.freshSecrets() ?? NOTHING,
  }
}

/** Stands for a credential, and shows nothing of it. */
function fingerprint(who: Identity): string {
  const parts = who.map((part) => (part instanceof Secret ? part.reveal() : (part ?? null)))
  return hash('sha256', JSON.stringify(parts), 'base64url')
}
