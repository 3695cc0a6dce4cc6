import type { HealthState } from '../../core/health.ts'
import { softFactor, weightOf } from './eligibility.ts'
import type { Eligibility } from './eligibility.ts'
import type { Standings } from './standings.ts'
import type { Standing } from './standing.ts'
import type { Traffic } from './traffic.ts'

/** What a group amounts to. */
export interface GroupHealth {
  /** How many of its deployments traffic is sent to now, of how many. */
  readonly eligible: number
  readonly total: number
  /** Until somebody of it may be asked again, milliseconds from now; 0 where somebody may now, undefined: nobody knows. */
  readonly retryInMs: number | undefined
  readonly states: Readonly<Partial<Record<HealthState, number>>>
}

/** What routing asks, synchronously and from memory. `group` is the group's number, `now` `Clock.elapsed`'s. */
export interface Choices {
  /** Share of the traffic beside equals, in [0, 1]; 0: send nobody. */
  weight(index: number, now: number): number
  /** 0, or 1 for those that come last among equals. */
  tier(index: number, now: number): 0 | 1
  /** The same in full, for explanations. */
  eligibility(index: number, now: number): Eligibility
  /**
   * Where nobody is eligible: the one deployment that one request at a time is sent to all the same; undefined where
   * that request is under way, or all are misconfigured or taken out.
   */
  lastResort(members: readonly number[], now: number): number | undefined
  health(members: readonly number[], now: number): GroupHealth
}

/** What choices are made from. */
export interface ChoicesDeps {
  readonly standings: Standings
  readonly traffic: Pick<Traffic, 'isSilent' | 'onProbation' | 'isPanicking'>
  readonly groups: readonly number[]
  /** When it will be looked at next; infinite where that is not planned. */
  readonly nextLookAt: (index: number) => number
  /** False (`health_check_panic: off`): where nobody is eligible, nobody is asked. */
  readonly hasLastResort: boolean
}

/** How good a last resort is: those that merely have no room come before those that are down. */
const HOPE: Readonly<Partial<Record<HealthState, number>>> = { SATURATED: 1, DOWN: 2 }
/** What a group's soft reasons add up to is counted anew after this. */
const FACTOR_MS = 1000

/** Makes the choices of one gateway. */
export function createChoices(deps: ChoicesDeps): Choices {
  const { standings, traffic } = deps
  const { rules } = standings
  const factorOf = createSoftFactors(deps)
  const weight = (index: number, now: number): number => {
    const standing = standings.standing(index, now)
    if (traffic.onProbation(index) >= standing.permits) return 0
    const own = weightOf(standing, now, rules)
    return standing.state === 'DEGRADED' ? 1 - factorOf(index, now) * (1 - own) : own
  }
  const tier = (index: number, now: number): 0 | 1 =>
    standings.standing(index, now).state === 'SUSPECT' || traffic.isSilent(index, now) ? 1 : 0
  return {
    weight,
    tier,
    eligibility: (index, now) => {
      const standing = standings.standing(index, now)
      return {
        state: standing.state,
        weight: weight(index, now),
        tier: tier(index, now),
        until: untilOf(deps, index, standing),
        reason: standing.reason,
        isSilent: traffic.isSilent(index, now),
      }
    },
    lastResort: (members, now) => lastResortOf(deps, members, now),
    health: (members, now) => {
      const states: Partial<Record<HealthState, number>> = {}
      let eligible = 0
      let soonest = Number.POSITIVE_INFINITY
      for (const index of members) {
        const standing = standings.standing(index, now)
        states[standing.state] = (states[standing.state] ?? 0) + 1
        if (weight(index, now) > 0) eligible += 1
        else soonest = Math.min(soonest, untilOf(deps, index, standing))
      }
      const waitMs = soonest === Number.POSITIVE_INFINITY ? undefined : Math.max(soonest - now, 0)
      return { eligible, total: members.length, retryInMs: eligible > 0 ? 0 : waitMs, states }
    },
  }
}

/** How far soft reasons count, by the group of a deployment; counted anew each second. */
function createSoftFactors({ standings, groups }: ChoicesDeps): (index: number, now: number) => number {
  const byGroup = new Map<number, number[]>()
  groups.forEach((group, index) => {
    const known = byGroup.get(group)
    if (known === undefined) byGroup.set(group, [index])
    else known.push(index)
  })
  const factors = new Map<number, { readonly at: number; readonly factor: number }>()
  return (index, now) => {
    const group = groups[index] ?? 0
    const known = factors.get(group)
    if (known !== undefined && now - known.at < FACTOR_MS) return known.factor
    const members = (byGroup.get(group) ?? []).map((member) => standings.standing(member, now))
    const factor = softFactor(members, now, standings.rules)
    factors.set(group, { at: now, factor })
    return factor
  }
}

/** When it may be asked again. One that is silent or on probation may at any moment, for all we know. */
function untilOf({ standings, nextLookAt }: ChoicesDeps, index: number, standing: Standing): number {
  switch (standing.state) {
    case 'SATURATED':
    case 'ISOLATED':
      return standing.until
    case 'DOWN':
    case 'MISCONFIGURED':
      return Math.min(standings.wakeAt(index), nextLookAt(index))
    case 'UNKNOWN':
    case 'HEALTHY':
    case 'DEGRADED':
    case 'SUSPECT':
    case 'RECOVERING':
      return Number.POSITIVE_INFINITY
  }
}

function lastResortOf(deps: ChoicesDeps, members: readonly number[], now: number): number | undefined {
  const { standings, traffic, groups } = deps
  const [first] = members
  if (!deps.hasLastResort || first === undefined || traffic.isPanicking(groups[first] ?? 0)) return undefined
  let best: number | undefined
  let bestHope = Number.POSITIVE_INFINITY
  let bestAt = Number.POSITIVE_INFINITY
  for (const index of members) {
    const standing = standings.standing(index, now)
    const hope = HOPE[standing.state]
    if (hope === undefined) continue
    const at = untilOf(deps, index, standing)
    if (hope > bestHope || (hope === bestHope && best !== undefined && at >= bestAt)) continue
    best = index
    bestHope = hope
    bestAt = at
  }
  return best
}
