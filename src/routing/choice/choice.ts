import type { Clock } from '../../core/clock.ts'
import type { Deployment } from '../../core/deployment.ts'
import { createCooldowns } from './cooldown.ts'
import type { CooldownDeps, CooldownRules, Cooldowns } from './cooldown.ts'
import { createLedger } from './ledger.ts'
import type { Ledger } from './ledger.ts'
import { createLimits } from './limits.ts'
import type { LimitWait } from './limits.ts'
import { createStrategy, ledgerRulesFor } from './strategy.ts'
import type { Strategy, StrategyDeps, StrategyRules } from './strategy.ts'

/** What tells the deployments of a group apart while traffic runs. */
export interface Choice {
  readonly cooldowns: Cooldowns
  readonly ledger: Ledger
  readonly limitMs: LimitWait
  readonly strategy: Strategy | undefined
}

/** What the config says of it. */
export interface ChoiceRules extends StrategyRules {
  readonly cooldowns: CooldownRules
  readonly defaultMaxParallelRequests?: number
}

/** What it runs on. */
export interface ChoiceDeps extends CooldownDeps, Pick<StrategyDeps, 'price'> {
  readonly clock: Clock
}

/** Makes the parts of one gateway that a choice looks at; they share what is counted. */
export function createChoice(
  deployments: readonly Deployment[],
  rules: ChoiceRules,
  deps: ChoiceDeps,
): Choice {
  const { clock, price } = deps
  const ledger = createLedger(deployments, ledgerRulesFor(rules), clock)
  return {
    cooldowns: createCooldowns(rules.cooldowns, deps),
    ledger,
    limitMs: createLimits(ledger, rules.defaultMaxParallelRequests),
    strategy: createStrategy(rules, { ledger, price }),
  }
}
