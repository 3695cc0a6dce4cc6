import type { Was } from '../../core/was.ts'
import type { Member } from './engine.ts'
import type { FaultDomains } from './fault-domains.ts'
import type { Plans } from './plans.ts'
import type { Purse } from './purse.ts'
import type { Standing } from './standing.ts'
import type { Standings } from './standings.ts'

/** What passes from one engine to the next in the same process. */
export interface Legacy {
  readonly standings: Standings
  readonly domains: FaultDomains
  readonly members: readonly Member[]
  readonly plans: Pick<Plans, 'spare' | 'sparedUntil'>
  readonly purse: Purse
}

const SHARED = ['host', 'credential'] as const

/**
 * Takes over what the engine of the config before holds true of deployments that are called as they were: times are of
 * one clock, so that standings pass as they are. Nobody is told of a transition, for there is none. It can be asked
 * again: what has not moved since costs next to nothing. The money is taken over by `inheritPurse`, once.
 */
export function inheritStandings(to: Legacy, from: Legacy, was: Was, now: number): void {
  const heirOf = heirs(to.members.length, was)
  for (let index = 0; index < to.members.length; index += 1) {
    const earlier = was(index)
    if (earlier === undefined) continue
    const standing = from.standings.standing(earlier, now)
    if (
      to.standings.standing(index, now) !== standing &&
      isWithItsLeader(to, from, index, earlier, standing, heirOf)
    )
      to.standings.inherit(index, standing, from.standings, earlier)
    for (const domain of SHARED) {
      if (from.domains.representative(domain, earlier) === earlier) to.domains.appoint(domain, index)
    }
  }
}

/** What one that follows another's verdict holds true is worth nothing where that one does not come along. */
function isWithItsLeader(
  to: Legacy,
  from: Legacy,
  index: number,
  earlier: number,
  { isFollower, domain }: Standing,
  heirOf: ReadonlyMap<number, number>,
): boolean {
  if (!isFollower) return true
  const leader = heirOf.get(from.domains.representative(domain, earlier) ?? -1)
  return leader !== undefined && to.domains.members(domain, index).includes(leader)
}

/** By the index that was: the index that is. */
function heirs(count: number, was: Was): ReadonlyMap<number, number> {
  const known = new Map<number, number>()
  for (let index = 0; index < count; index += 1) {
    const earlier = was(index)
    if (earlier !== undefined) known.set(earlier, index)
  }
  return known
}

/** Whose provider has little room left is spared for as long as before. */
export function inheritPlans(to: Legacy, from: Legacy, was: Was): void {
  for (let index = 0; index < to.members.length; index += 1) {
    const earlier = was(index)
    if (earlier !== undefined) to.plans.spare(index, from.plans.sparedUntil(earlier))
  }
}

/** What was spent today stays spent, in all and with each key that is still there. */
export function inheritPurse(to: Legacy, from: Legacy, was: Was, now: number): void {
  const earlierKeys = new Map<number, number>()
  to.members.forEach(({ credential }, index) => {
    const earlier = from.members[was(index) ?? -1]
    if (earlier !== undefined) earlierKeys.set(credential, earlier.credential)
  })
  to.purse.inherit(from.purse, earlierKeys, now)
}
