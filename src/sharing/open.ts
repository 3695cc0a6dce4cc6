import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { MeetingPlace } from '../core/meeting-place.ts'
import type { Deployment } from '../core/deployment.ts'
import { identityOf } from './identity.ts'
import { createLocalSharing } from './local.ts'
import { createPostgresSharing } from './postgres.ts'
import { createRedisSharing } from './redis.ts'
import { createReplica } from './replica.ts'
import type { Replica, ReplicaDeps } from './replica.ts'
import type { Sharing } from './sharing.ts'
import { createCounts } from './status.ts'
import type { Counts } from './status.ts'

/** What all replicas that a process is, one after the other, have in common. */
export interface Meeting {
  readonly sharing: Sharing
  /** This process's name among the others. */
  readonly self: string
  readonly counts: Counts
  readonly newId: () => string
}

/** What a meeting is opened with. */
export interface MeetingDeps {
  readonly place: MeetingPlace | undefined
  readonly clock: Clock
  readonly random: () => number
  /** Random, never twice, and not to be guessed. */
  readonly newId: () => string
}

/** What a replica is opened with. */
export interface OpenDeps {
  readonly meeting: Meeting | undefined
  readonly deployments: readonly Deployment[]
  /** The address that a deployment's line leads to; undefined: none does. */
  readonly baseOf: (deployment: Deployment) => string | undefined
  readonly engine: ReplicaDeps['engine']
  /** Deadline of a look at a deployment without one of its own, milliseconds. */
  readonly probeTimeoutMs: number
  readonly intervalMs: number
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
}

/** A place where others are met, under one name for as long as it is; nothing is opened yet. Undefined: there is none. */
export function openMeeting({ place, ...deps }: MeetingDeps): Meeting | undefined {
  if (place === undefined || place.kind === 'missing') return undefined
  const { newId } = deps
  const self = newId()
  const sharing = sharingAt(place, { ...deps, self, newNonce: newId })
  return { sharing, self, counts: createCounts(), newId }
}

/** This gateway as a replica; undefined where it shares with nobody. */
export function openReplica({ meeting, ...deps }: OpenDeps): Replica | undefined {
  if (meeting === undefined) return undefined
  const { deployments, baseOf, probeTimeoutMs } = deps
  const { sharing, self, counts, newId } = meeting
  return createReplica({
    ...deps,
    self,
    sharing,
    counts,
    alone: createLocalSharing({ ...deps, self, newNonce: newId }),
    ids: deployments.map((deployment) =>
      // What leads nowhere is never looked at; it has an identity all the same.
      identityOf({ deployment, base: baseOf(deployment) ?? `none ${deployment.index}` }),
    ),
    deadlineMs: (index) => deployments[index]?.probe.timeoutMs ?? probeTimeoutMs,
  })
}

function sharingAt(
  place: Exclude<MeetingPlace, { kind: 'missing' }>,
  common: Pick<MeetingDeps, 'clock' | 'random'> & { readonly self: string; readonly newNonce: () => string },
): Sharing {
  switch (place.kind) {
    case 'redis':
      return createRedisSharing({ ...common, address: place })
    case 'postgres':
      return createPostgresSharing({ ...common, url: place.url })
  }
}
