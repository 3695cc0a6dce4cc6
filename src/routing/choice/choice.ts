import type { Clock } from '../../core/clock.ts'
import type { Deployment } from '../../core/deployment.ts'
import type { Log } from '../../core/log.ts'
import { createCooldowns } from './cooldown.ts'
import type { CooldownRules, Cooldowns } from './cooldown.ts'
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

/** Makes the parts of one gateway that a choice looks at; they share what is counted. */
export function createChoice(
  deployments: readonly Deployment[],
  rules: ChoiceRules,
  { clock, log, price }: { readonly clock: Clock; readonly log: Log } & Pick<StrategyDeps, 'price'>,
): Choice {
  const ledger = createLedger(deployments, ledgerRulesFor(rules), clock)
  return {
    cooldowns: createCooldowns(rules.cooldowns, { clock, log }),
    ledger,
    limitMs: createLimits(ledger, rules.defaultMaxParallelRequests),
    strategy: createStrategy(rules, { ledger, price }),
  }
}
