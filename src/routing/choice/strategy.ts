import type { RoutingStrategy } from '../../core/routing-strategy.ts'
import type { Deployment } from '../../core/deployment.ts'
import type { LedgerRules, Ledger } from './ledger.ts'
import type { Need } from '../request/need.ts'

/** How those that are equal in health and order are told apart. Pure but for what it reads in the ledger. */
export interface Strategy {
  /** The lowest is chosen; equals by chance. */
  score(deployment: Deployment, need: Need): number
  /** Scores up to this part above the lowest count as equal to it. */
  readonly slack: number
}

/** What the config says of the choice. */
export interface StrategyRules {
  readonly strategy: RoutingStrategy
  /** How far back latencies count (`routing_strategy_args.ttl`), milliseconds. */
  readonly latencyWindowMs: number
  /** `lowest_latency_buffer`: 0.5 lets those up to half slower take part. */
  readonly latencySlack: number
}

/** What a strategy reads. */
export interface StrategyDeps {
  readonly ledger: Pick<Ledger, 'inFlight' | 'tokens' | 'latencyMs'>
  /** The price of one token in and one token out. */
  readonly price: (deployment: Deployment) => number
}

/** One that has not answered yet is asked first, but by one request at a time: it may never answer. */
const UNSEEN = -1

/** Makes the strategy that the config names; undefined for simple-shuffle, which asks nothing but the weights. */
export function createStrategy(rules: StrategyRules, { ledger, price }: StrategyDeps): Strategy | undefined {
  switch (rules.strategy) {
    case 'simple-shuffle':
      return undefined
    case 'least-busy':
      return { slack: 0, score: ({ index }) => ledger.inFlight(index) }
    case 'latency-based-routing':
      return {
        slack: rules.latencySlack,
        score: ({ index }, { isStream }) =>
          ledger.latencyMs(index, isStream) ??
          (ledger.inFlight(index) === 0 ? UNSEEN : Number.POSITIVE_INFINITY),
      }
    case 'usage-based-routing':
    case 'usage-based-routing-v2':
      return { slack: 0, score: ({ index }) => ledger.tokens(index) }
    case 'cost-based-routing':
      return { slack: 0, score: price }
  }
}

/** What the ledger must keep for a strategy. */
export function ledgerRulesFor({ strategy, latencyWindowMs }: StrategyRules): LedgerRules {
  return {
    countsTokens: strategy === 'usage-based-routing' || strategy === 'usage-based-routing-v2',
    ...(strategy === 'latency-based-routing' && { latencyWindowMs }),
  }
}
