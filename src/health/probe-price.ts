import type { Deployment, ModelFacts } from '../core/deployment.ts'
import type { Mode, UnprobedMode } from '../core/mode.ts'
import { isReasoningModel } from '../providers/catalogue.ts'
import type { ModelBook } from '../providers/model-facts.ts'
import { adapterFor } from '../providers/registry.ts'
import { isSelfHosted } from '../providers/self-hosted.ts'
import { NOTHING_LEARNED } from './ladder.ts'
import { planProbe } from './probes.ts'
import type { HealthSettings } from './settings.ts'
import { isWildcard, knownModelOf, modeOfStandIn } from './subject.ts'

/** What one whole check (an answer, not a look at the front) costs, in dollars. */
export interface ProbePrices {
  /** Dollars for one whole check of this deployment: its written price, else the catalogue's, else its mode's. */
  of(deployment: Deployment): number
  /** Loads the catalogue (75 ms, 20 MB); until then modes have the prices of `DEFAULT_USD`. */
  load(): Promise<void>
}

/** What prices are made from. */
export interface ProbePriceDeps {
  readonly book: Pick<ModelBook, 'load' | 'tokenCosts'>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly settings: Pick<HealthSettings, 'prompt' | 'maxTokens' | 'maxTokensReasoning'>
}

/**
 * Dollars for one check where nobody knows the model's own price: a chat model of the middle class, one word embedded,
 * one document ranked, one image, one second heard, one sentence said. Prices of early 2026 as providers publish them.
 * Batches are listed and sessions opened for nothing.
 */
export const DEFAULT_USD: Readonly<Record<Mode | UnprobedMode, number>> = {
  chat: 2.9e-4,
  completion: 5.5e-5,
  embedding: 3e-7,
  image_generation: 0.04,
  audio_transcription: 1e-4,
  audio_speech: 3e-4,
  rerank: 2e-3,
  batch: 0,
  realtime: 0,
  moderation: 0,
  ocr: 1e-3,
  image_edit: 0.04,
  video_generation: 1.6,
  search: 5e-3,
  vector_store: 0,
  evaluation: 0,
}
/** A chat with a model that thinks before it speaks. */
const REASONING_USD = 2e-3
/** What a probe's few words come to, and what it asks for where nothing else is written. */
const TOKENS_IN = 15
const TOKENS_OUT = 16
/** The spoken clip is shorter; providers bill whole seconds. */
const SECONDS = 1

/** Makes the prices of one gateway's checks; each is worked out once, and again when the catalogue is there. */
export function createProbePrices(deps: ProbePriceDeps): ProbePrices {
  const known = new Map<number, number>()
  return {
    of: (deployment) => {
      const found = known.get(deployment.index)
      if (found !== undefined) return found
      const price = priceOf(deployment, deps)
      known.set(deployment.index, price)
      return price
    },
    load: async () => {
      await deps.book.load()
      known.clear()
    },
  }
}

function priceOf(written: Deployment, deps: ProbePriceDeps): number {
  const { deployment, mode } = askedInFact(written)
  const { facts = {} } = deployment
  const isFree = facts.inputCost === 0 && facts.outputCost === 0
  if (mode === 'batch' || mode === 'realtime' || isFree) return 0
  const own = mode === 'chat' || mode === 'completion' ? undefined : writtenPrice(mode, facts, deps)
  if (own !== undefined) return own
  const hasCosts = facts.inputCost !== undefined || facts.outputCost !== undefined
  if (!hasCosts && isSelfHosted(deployment, deps.env)) return 0
  return tokenPrice(deployment, mode, deps) ?? defaultPrice(deployment, mode)
}

/** What is really asked: `health_check_model`, or a provider's cheap model for a wildcard. Their prices are their own. */
function askedInFact(deployment: Deployment): { deployment: Deployment; mode: Mode | UnprobedMode } {
  const { facts: _, ...bare } = deployment
  const { model } = deployment.probe
  if (model !== undefined)
    return { deployment: { ...bare, ...model }, mode: modeOfStandIn(deployment, model.model) }
  const cheap = isWildcard(deployment) ? adapterFor(deployment.provider)?.cheapChatModel : undefined
  if (cheap !== undefined) return { deployment: { ...bare, upstreamModel: cheap }, mode: 'chat' }
  return { deployment, mode: deployment.unprobedMode ?? deployment.mode }
}

function writtenPrice(
  mode: Mode | UnprobedMode,
  { imageCost, queryCost, secondCost, characterCost }: ModelFacts,
  { settings }: ProbePriceDeps,
): number | undefined {
  switch (mode) {
    case 'image_generation':
    case 'image_edit':
      return imageCost
    case 'rerank':
    case 'search':
      return queryCost
    case 'audio_transcription':
      return secondCost === undefined ? undefined : secondCost * SECONDS
    case 'audio_speech':
      return characterCost === undefined ? undefined : characterCost * settings.prompt.length
    default:
      return undefined
  }
}

/** The modes that are paid for token by token; undefined for the others, and where nobody knows the price of one. */
function tokenPrice(
  deployment: Deployment,
  mode: Mode | UnprobedMode,
  { book, settings }: ProbePriceDeps,
): number | undefined {
  const isWords = mode === 'chat' || mode === 'completion'
  if (!isWords && mode !== 'embedding') return undefined
  const { input, output } = book.tokenCosts(deployment)
  if (input === undefined || (output === undefined && mode !== 'embedding')) return undefined
  if (mode === 'embedding') return input * TOKENS_IN
  const knownModel = knownModelOf(deployment)
  const inputs = { knownModel, isWildcard: isWildcard(deployment), learned: NOTHING_LEARNED, settings }
  const budget = isWords ? planProbe(deployment, { ...inputs, mode }).sent.budget : undefined
  return input * TOKENS_IN + (output ?? 0) * (budget ?? TOKENS_OUT)
}

function defaultPrice(deployment: Deployment, mode: Mode | UnprobedMode): number {
  const isDear = mode === 'chat' && isReasoningModel(knownModelOf(deployment))
  return isDear ? REASONING_USD : DEFAULT_USD[mode]
}
