import { DEPTH } from '../../core/depth.ts'
import type { Evidence } from '../../core/evidence.ts'
import { evidenceRow } from './blame.ts'
import type { DomainRollUpDeps } from './domain-roll-up.ts'
import { isUnhealthy } from './eligibility.ts'
import type { Standing } from './standing.ts'

/** All that waited for a host or a key do not return in the same moment. */
export const RELEASE_MS = 5000

/** Another one that shares the key has failed so too, by itself, and none of all that share it has answered since. */
export function isAttested({ domains, get }: DomainRollUpDeps, index: number, { kind }: Evidence): boolean {
  if (evidenceRow(kind)?.spreads === undefined) return false
  const members = domains.members('credential', index)
  let since = Number.POSITIVE_INFINITY
  let lastOkAt = Number.NEGATIVE_INFINITY
  for (const member of members) {
    const standing = get(member)
    lastOkAt = Math.max(lastOkAt, standing.lastOkStartedAt)
    if (member !== index && standing.reason === kind && isOwn(standing))
      since = Math.min(since, standing.since)
  }
  return since !== Number.POSITIVE_INFINITY && lastOkAt < since
}

function isOwn({ state, isFollower }: Standing): boolean {
  return state === 'MISCONFIGURED' && !isFollower
}

/** Its own verdict, of a kind that may turn out to be the key's. */
export function isOwnOfKey(standing: Standing): boolean {
  const { reason, domain } = standing
  if (reason === undefined || domain !== 'deployment' || !isOwn(standing)) return false
  return evidenceRow(reason)?.spreads === 'credential'
}

/** Of those that share the key and still serve, whoever answered last knows best. */
export function askWitness({ domains, get, ask }: DomainRollUpDeps, index: number, now: number): void {
  let best: number | undefined
  let bestAt = Number.NEGATIVE_INFINITY
  for (const member of domains.members('credential', index)) {
    const { state, lastOkAt } = get(member)
    if (member === index || isUnhealthy(state) || state === 'SATURATED') continue
    if (best !== undefined && lastOkAt <= bestAt) continue
    best = member
    bestAt = lastOkAt
  }
  if (best !== undefined) ask(best, now)
}

/** An answer with the same key shows that the key is good, and who failed has failed by itself. */
export function isNarrowedBy(
  { domain, since, reason, state }: Standing,
  { kind, depth, startedAt }: Evidence,
): boolean {
  if (kind !== 'ok' || depth < DEPTH.answer || startedAt < since || reason === undefined) return false
  return state === 'MISCONFIGURED' && domain === 'credential' && evidenceRow(reason)?.spreads === domain
}

/** A limit of the key holds for all that share it; they return one after the other. */
export function shareLimit(
  { domains, get, step }: DomainRollUpDeps,
  index: number,
  evidence: Evidence,
  now: number,
): void {
  const { state, since, until } = get(index)
  if (evidenceRow(evidence.kind)?.effect !== 'saturates' || state !== 'SATURATED' || since !== now) return
  const members = domains.members('credential', index)
  members.forEach((member, position) => {
    const retryAfterMs = until - now + (RELEASE_MS * position) / members.length
    if (member !== index) step(member, { ...evidence, source: 'peer', retryAfterMs }, now)
  })
}
