import type { Cancel, Clock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import type { Health } from '../core/health.ts'
import type { Verdict } from '../core/verdict.ts'
import { nextHealth } from './state.ts'
import type { StateRules } from './state.ts'

/** Told of every recorded verdict; a transition is where `before.state` and `after.state` differ. */
export type HealthListener = (deployment: Deployment, before: Health, after: Health) => void

/** The health of all deployments, now. */
export interface Board {
  readonly deployments: readonly Deployment[]
  /** By `Deployment.index`. */
  health(index: number): Health
  record(index: number, verdict: Verdict, rules?: StateRules): void
  /** Says that this deployment will never be checked; its reason becomes `checks_disabled`. */
  disable(index: number): void
  onChange(listener: HealthListener): Cancel
  /** Grows with every change, so that a reader can tell whether what it made of the board still holds. */
  version(): number
}

/** Makes a board on which nobody has been checked yet. `deployments[i].index` is `i`. */
export function createBoard(deployments: readonly Deployment[], deps: { readonly clock: Clock }): Board {
  const { clock } = deps
  const start = clock.now()
  const unchecked: Health = { state: 'UNKNOWN', reason: 'not_checked_yet', since: start }
  const disabled: Health = { state: 'UNKNOWN', reason: 'checks_disabled', since: start }
  const now: Health[] = deployments.map(({ unprobedMode }) =>
    unprobedMode === undefined ? unchecked : disabled,
  )
  const listeners = new Set<HealthListener>()
  let version = 0
  return {
    deployments,
    health: (index) => now[index] ?? unchecked,
    record: (index, verdict, rules = { ignoreTransientErrors: false }) => {
      const deployment = deployments[index]
      if (deployment === undefined) return
      const before = now[index] ?? unchecked
      const after = nextHealth(before, verdict, clock.now(), rules)
      now[index] = after
      version += 1
      for (const listener of listeners) listener(deployment, before, after)
    },
    disable: (index) => {
      if (now[index] !== unchecked) return
      now[index] = disabled
      version += 1
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    version: () => version,
  }
}
