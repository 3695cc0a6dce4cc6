import type { Clock } from '../../core/clock.ts'
import type { Deployment } from '../../core/deployment.ts'
import { createLedger } from './ledger.ts'
import type { Elders, Ledger } from './ledger.ts'
import { createLimits } from './limits.ts'
import type { LimitWait } from './limits.ts'
import { createStrategy, ledgerRulesFor } from './strategy.ts'
import type { Strategy, StrategyDeps, StrategyRules } from './strategy.ts'

/** What tells the deployments of a group apart while traffic runs. */
export interface Choice {
  readonly ledger: Ledger
  readonly limitMs: LimitWait
  readonly strategy: Strategy | undefined
  /** A number for one client's request, never 0, and never twice. */
  readonly nextRequest: () => number
}

/** What the config says of it. */
export interface ChoiceRules extends StrategyRules {
  readonly defaultMaxParallelRequests?: number
}

/** What choice runs on. */
export interface ChoiceDeps extends Pick<StrategyDeps, 'price'> {
  readonly clock: Clock
  readonly nextRequest: Choice['nextRequest']
  /** Ledgers of configs before that requests still run under. */
  readonly elders: Elders
}

/** Makes the parts of one gateway that a choice looks at; they share what is counted. */
export function createChoice(
  deployments: readonly Deployment[],
  rules: ChoiceRules,
  { clock, price, nextRequest, elders }: ChoiceDeps,
): Choice {
  const ledger = createLedger(deployments, ledgerRulesFor(rules), clock, elders)
  return {
    ledger,
    limitMs: createLimits(ledger, rules.defaultMaxParallelRequests),
    strategy: createStrategy(rules, { ledger, price }),
    nextRequest,
  }
}
