import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { Secret } from '../core/secret.ts'
import type { Deployment } from '../core/deployment.ts'
import { identityOf } from './identity.ts'
import { createLocalSharing } from './local.ts'
import { createPostgresSharing } from './postgres.ts'
import { createRedisSharing } from './redis.ts'
import type { RedisAddress } from './redis.ts'
import { createReplica } from './replica.ts'
import type { Replica, ReplicaDeps } from './replica.ts'
import type { Sharing } from './sharing.ts'

/** Where replicas meet. */
export type MeetingPlace =
  | ({ readonly kind: 'redis' } & RedisAddress)
  | { readonly kind: 'postgres'; readonly url: Secret }
  | { readonly kind: 'missing' }

/** What a replica is opened with. */
export interface OpenDeps {
  readonly place: MeetingPlace | undefined
  readonly deployments: readonly Deployment[]
  /** The address that a deployment's line leads to; undefined: none does. */
  readonly baseOf: (deployment: Deployment) => string | undefined
  readonly engine: ReplicaDeps['engine']
  /** Deadline of a look at a deployment without one of its own, milliseconds. */
  readonly probeTimeoutMs: number
  readonly intervalMs: number
  readonly clock: Clock
  readonly random: () => number
  /** Random, never twice, and not to be guessed. */
  readonly newId: () => string
  readonly log: Log
}

/** This gateway as a replica; undefined where it shares with nobody. */
export function openReplica({ place, ...deps }: OpenDeps): Replica | undefined {
  if (place === undefined || place.kind === 'missing') return undefined
  const { deployments, baseOf, probeTimeoutMs, newId } = deps
  const self = newId()
  const common = { ...deps, self, newNonce: newId }
  return createReplica({
    ...deps,
    self,
    sharing: sharingAt(place, common),
    alone: createLocalSharing(common),
    ids: deployments.map((deployment) =>
      // What leads nowhere is never looked at; it has an identity all the same.
      identityOf({ deployment, base: baseOf(deployment) ?? `none ${deployment.index}` }),
    ),
    deadlineMs: (index) => deployments[index]?.probe.timeoutMs ?? probeTimeoutMs,
  })
}

function sharingAt(
  place: Exclude<MeetingPlace, { kind: 'missing' }>,
  common: Pick<OpenDeps, 'clock' | 'random'> & { readonly self: string; readonly newNonce: () => string },
): Sharing {
  switch (place.kind) {
    case 'redis':
      return createRedisSharing({ ...common, address: place })
    case 'postgres':
      return createPostgresSharing({ ...common, url: place.url })
  }
}
