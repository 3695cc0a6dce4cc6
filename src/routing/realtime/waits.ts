import type { Clock } from '../../core/clock.ts'
import type { GatewayError } from '../../core/failure.ts'
import type { Candidate } from '../choice/directory.ts'
import { countChoices } from '../choice/pick.ts'
import type { PickInputs } from '../choice/pick.ts'
import { beginWait, createConnectBudget, endWait, isSpent } from '../journey/connect-budget.ts'
import type { ConnectBudget } from '../journey/connect-budget.ts'
import { NOTHING } from '../request/need.ts'

/** Longest wait for an upgrade, all that are asked together; a deployment's shorter `timeout` wins. Milliseconds. */
export const OPEN_MS = 30_000
/** Deployments asked for one session. Nothing has been said yet, so that asking another one costs only time. */
export const MAX_DEPLOYMENTS = 3

interface WaitDeps {
  readonly clock: Pick<Clock, 'elapsed'>
  readonly settings: { readonly connectTimeoutMs: number }
}

/** What one client waits for, however many deployments are asked: for connections, and for an upgrade in all. */
export interface Waits {
  /** Who has been asked. */
  readonly tried: ReadonlySet<number>
  begin(chosen: Candidate): { readonly openMs: number; readonly connectTimeoutMs: () => number }
  /** True where nothing is left to wait with. */
  end(failure: GatewayError): boolean
}

/** Nothing has been waited for yet. */
export function createWaits(
  { clock, settings }: WaitDeps,
  candidates: readonly Candidate[],
  inputs: PickInputs,
): Waits {
  const connects = createConnectBudget(settings.connectTimeoutMs)
  const upgrades = createConnectBudget(OPEN_MS)
  const tried = new Set<number>()
  return {
    tried,
    begin: (chosen) => {
      tried.add(chosen.deployment.index)
      const left = MAX_DEPLOYMENTS - tried.size
      const others = countChoices(candidates, inputs, NOTHING, (index) => tried.has(index), left)
      const beginIn = (budget: ConnectBudget): number =>
        beginWait(budget, clock.elapsed(), others, Number.POSITIVE_INFINITY)
      return { openMs: beginIn(upgrades), connectTimeoutMs: () => beginIn(connects) }
    },
    end: (failure) => {
      endWait(connects, clock.elapsed(), failure.isUnsent)
      endWait(upgrades, clock.elapsed(), true)
      return isSpent(connects) || isSpent(upgrades)
    },
  }
}
