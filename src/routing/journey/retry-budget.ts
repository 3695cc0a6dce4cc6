import type { Clock } from '../../core/clock.ts'
import { createSlidingCount } from '../choice/sliding-count.ts'
import type { SlidingCount } from '../choice/sliding-count.ts'

/** Keeps an outage from being multiplied: how many retries a group may have, measured by its requests. */
export interface RetryBudgets {
  /** A client's request for a group begins. */
  request(group: string): void
  /** True where one more retry is within the budget; it is then spent. */
  spend(group: string): boolean
}

/** What counts as recent. */
const WINDOW_MS = 10_000
/** Retries within the window that an idle group has all the same: ten a second. */
const FLOOR = 100
/** Groups are the config's, so that this many are never reached by asking. */
const MAX_GROUPS = 100_000

/** Makes the budgets of one gateway; `share` of recent requests, 0.2 being one retry for five requests. */
export function createRetryBudgets(share: number, clock: Pick<Clock, 'elapsed'>): RetryBudgets {
  const groups = new Map<string, { readonly requests: SlidingCount; readonly retries: SlidingCount }>()
  const of = (group: string): { readonly requests: SlidingCount; readonly retries: SlidingCount } => {
    const known = groups.get(group)
    if (known !== undefined) return known
    if (groups.size >= MAX_GROUPS) groups.clear()
    const made = { requests: createSlidingCount(WINDOW_MS), retries: createSlidingCount(WINDOW_MS) }
    groups.set(group, made)
    return made
  }
  return {
    request: (group) => of(group).requests.add(clock.elapsed()),
    spend: (group) => {
      const now = clock.elapsed()
      const { requests, retries } = of(group)
      if (retries.total(now) >= FLOOR + share * requests.total(now)) return false
      retries.add(now)
      return true
    },
  }
}
