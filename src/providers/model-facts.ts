import type { Deployment } from '../core/deployment.ts'
import { entryOf } from '../core/entry-of.ts'

/** What is known of the models behind deployments: what is written wins over the catalogue. */
export interface ModelBook {
  /** Loads the catalogue: without it only what is written is known. */
  load(): Promise<void>
  /** Tokens that the model takes in at most; undefined where nobody knows. */
  maxInputTokens(deployment: Deployment): number | undefined
  /** Dollars for one token in, and for one token out; undefined where nobody knows. */
  tokenCosts(deployment: Deployment): TokenCosts
  /** Dollars for one token in and one token out; LiteLLM's 5 for each that nobody knows. */
  price(deployment: Deployment): number
}

/** Dollars for one token. */
export interface TokenCosts {
  readonly input: number | undefined
  readonly output: number | undefined
}

/** What the catalogue says of one model. */
interface Entry {
  readonly maxInputTokens: number | undefined
  readonly inputCost: number
  readonly outputCost: number
}

/** The package's names of providers that have another one here. */
const PACKAGE_NAMES: Readonly<Record<string, string>> = {
  vertex_ai: 'google',
  gemini: 'google',
  bedrock: 'aws',
  cohere_chat: 'cohere',
  xai: 'x-ai',
  together_ai: 'together',
  fireworks_ai: 'fireworks',
  'text-completion-openai': 'openai',
}

/** Few enough for the first of tiered prices. */
const TOKENS = 1000
/** LiteLLM's: dearer than any model. */
const UNKNOWN_COST = 5

/** Makes a book that has nothing but what is written; `load` adds the catalogue. */
export function createModelBook(): ModelBook {
  let look: ((deployment: Deployment) => Entry | undefined) | undefined
  return {
    load: async () => {
      look ??= await openCatalogue()
    },
    maxInputTokens: (deployment) => deployment.facts?.maxInputTokens ?? look?.(deployment)?.maxInputTokens,
    tokenCosts: (deployment) => {
      const { inputCost, outputCost } = deployment.facts ?? {}
      const isWritten = inputCost !== undefined && outputCost !== undefined
      const known = isWritten ? undefined : look?.(deployment)
      return { input: inputCost ?? known?.inputCost, output: outputCost ?? known?.outputCost }
    },
    price: (deployment) => {
      const { inputCost, outputCost } = deployment.facts ?? {}
      if (inputCost !== undefined && outputCost !== undefined) return inputCost + outputCost
      const known = look?.(deployment)
      return (
        (inputCost ?? known?.inputCost ?? UNKNOWN_COST) + (outputCost ?? known?.outputCost ?? UNKNOWN_COST)
      )
    },
  }
}

/** `@pydantic/genai-prices`: its tables take a moment to load and 20 MB, and so wait until a setting asks for them. */
async function openCatalogue(): Promise<(deployment: Deployment) => Entry | undefined> {
  const { calcPrice } = await import('@pydantic/genai-prices')
  // By the deployment itself: one that stands in for another has the other's number.
  const known = new WeakMap<Deployment, Entry | undefined>()
  const find = ({ facts, provider, upstreamModel }: Deployment): Entry | undefined => {
    const name = facts?.baseModel ?? upstreamModel
    const short = name.slice(name.lastIndexOf('/') + 1)
    const providerId = entryOf(PACKAGE_NAMES, provider) ?? provider
    const usage = { input_tokens: TOKENS, output_tokens: TOKENS }
    const found =
      calcPrice(usage, name, { providerId }) ??
      calcPrice(usage, short, { providerId }) ??
      calcPrice(usage, short)
    if (found === null) return undefined
    const { input_price: inPrice, output_price: outPrice, model } = found
    return {
      maxInputTokens: model.context_window,
      inputCost: inPrice / TOKENS,
      outputCost: outPrice / TOKENS,
    }
  }
  return (deployment) => {
    if (!known.has(deployment)) known.set(deployment, find(deployment))
    return known.get(deployment)
  }
}
