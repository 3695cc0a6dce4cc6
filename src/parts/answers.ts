import type { Config } from '../config/config.ts'
import type { Deployment } from '../core/deployment.ts'
import { engineRulesOf } from '../health/engine-rules.ts'
import { createMembers, type MemberInputs } from '../health/members.ts'
import { planHealth, type HealthPlan } from '../health/plan.ts'
import type { ProbePrices } from '../health/probe-price.ts'
import { addressOf } from '../health/subject.ts'
import type { ModelBook } from '../providers/model-facts.ts'

/** What can be asked of a config without serving it. */
export interface Answers {
  /** As `App.address`. */
  readonly address: (index: number) => string | undefined
  /** As `App.prices`. */
  readonly prices: () => Promise<readonly number[]>
  /** As `App.plan`. */
  readonly plan: (most: number) => Promise<HealthPlan>
}

type AnswerInputs = Pick<MemberInputs, 'lines' | 'settings'> & { readonly prices: ProbePrices }

/** Makes them; nothing is loaded before it is asked for. */
export function createAnswers(config: Config, inputs: AnswerInputs): Answers {
  const { deployments } = config
  const { lines, prices } = inputs
  return {
    plan: createPlanner(config, inputs),
    prices: async () => {
      await prices.load()
      return deployments.map((each) => prices.of(each))
    },
    address: (index) => addressOf(lines(index)),
  }
}

/** Plans background checks, as if they were on. */
function createPlanner(
  { deployments, engine }: Config,
  { lines, prices, settings }: AnswerInputs,
): Answers['plan'] {
  const priceOf = (deployment: Deployment): number => prices.of(deployment)
  const { groups } = settings
  return async (most) => {
    await prices.load()
    const watched = { ...settings, backgroundHealthChecks: true }
    const { members } = createMembers({ deployments, lines, priceOf, settings: watched })
    const set = engineRulesOf({ ...engine, isLooking: true })
    return planHealth({ deployments, members, priceOf, set, most, ...(groups && { groups }) })
  }
}

/** The catalogue is large: it is loaded only where something asks for it. */
export function createPreparation(
  { router, engine }: Config,
  book: ModelBook,
  prices: ProbePrices,
): () => Promise<void> {
  const needsBook = router.checksContextWindow || router.strategy === 'cost-based-routing'
  return async () => {
    if (engine.isLooking) await prices.load()
    else if (needsBook) await book.load()
  }
}
