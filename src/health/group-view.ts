import type { HealthState } from '../core/health.ts'
import type { GroupHealth } from './engine/choices.ts'
import type { BareView, ShortView } from './standing-view.ts'
import { lengthText } from './wall-time.ts'
import type { WallTime } from './wall-time.ts'

/** What a group amounts to, and what is behind it. Absent fields have no value. */
export interface GroupView {
  readonly model_name: string
  /** The name that was asked for, where it is another one for this group. */
  readonly alias?: string
  /** One sentence: how many are left, and whether what is behind them has been proven of late. */
  readonly summary: string
  readonly eligible: number
  readonly total: number
  readonly states: Readonly<Partial<Record<HealthState, number>>>
  /** Until somebody of it may be asked again, seconds; 0: now. Null: nobody knows. */
  readonly retry_in_s: number | null
  readonly last_proven_at: string | undefined
  readonly proven_ago_s: number | undefined
  /** Of a large group only those that are not healthy. */
  readonly deployments: readonly (ShortView | BareView)[]
  /** How many deployments are not listed; absent: none. */
  readonly not_listed?: number
  /** Absent where details are hidden. */
  readonly fallbacks?: readonly FallbackView[]
}

/** A group that is asked where this one has failed. */
export interface FallbackView {
  readonly model_name: string
  readonly eligible: number
  /** 0: there is no such group. */
  readonly total: number
  readonly last_proven_at: string | undefined
  readonly proven_ago_s: number | undefined
}

/** What the engine says of the members of a group. */
export interface GroupFacts {
  readonly name: string
  readonly health: GroupHealth
  /** When one of them last gave a whole answer; `NEVER` where none did. */
  readonly lastOkAt: number
}

/** The view of a group; what is listed of its members is up to the caller. */
export function groupView(
  group: GroupFacts,
  fallbacks: readonly GroupFacts[],
  time: WallTime,
): Omit<GroupView, 'deployments' | 'not_listed' | 'alias'> {
  const { eligible, total, states, retryInMs } = group.health
  return {
    model_name: group.name,
    summary: summaryOf(group, fallbacks, time),
    eligible,
    total,
    states,
    retry_in_s: retryInMs === undefined ? null : Math.ceil(retryInMs / 1000),
    ...provenView(group, time),
    fallbacks: fallbacks.map((each) => fallbackView(each, time)),
  }
}

function fallbackView(group: GroupFacts, time: WallTime): FallbackView {
  const { eligible, total } = group.health
  return { model_name: group.name, eligible, total, ...provenView(group, time) }
}

function provenView({ lastOkAt }: GroupFacts, time: WallTime) {
  return {
    last_proven_at: time.iso(lastOkAt),
    proven_ago_s: Number.isFinite(lastOkAt) ? Math.max(Math.floor(time.ago(lastOkAt) / 1000), 0) : undefined,
  }
}

/** For example: "1 of 3 left, fallback gpt-4o-mini proven 4 min ago". */
export function summaryOf({ health }: GroupFacts, fallbacks: readonly GroupFacts[], time: WallTime): string {
  const behind = fallbacks.map((each) => `fallback ${each.name} ${fallbackWords(each, time)}`)
  return [leftWords(health), ...(behind.length === 0 ? ['no fallback'] : behind)].join(', ')
}

function leftWords({ eligible, total, retryInMs }: GroupHealth): string {
  if (eligible === total) return total === 1 ? 'the only one is in rotation' : `all ${total} in rotation`
  if (eligible > 0) return `${eligible} of ${total} left`
  const wait =
    retryInMs === undefined ? 'until somebody is proven' : `for ${lengthText(retryInMs + 999)} at least`
  return total === 1 ? `the only one is out ${wait}` : `none of ${total} left ${wait}`
}

function fallbackWords({ health: { eligible, total }, lastOkAt }: GroupFacts, time: WallTime): string {
  if (total === 0) return 'does not exist'
  const proven = Number.isFinite(lastOkAt) ? `proven ${lengthText(time.ago(lastOkAt))} ago` : 'never proven'
  return eligible === 0 ? `is out too (${proven})` : proven
}
