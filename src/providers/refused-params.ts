import type { HttpMode } from '../core/mode.ts'
import { isReasoningModel } from './catalogue.ts'

/**
 * Members that a reasoning model answers with a 400
 * (https://learn.microsoft.com/azure/ai-services/openai/how-to/reasoning, read 2026-11-26).
 */
const OF_REASONING: readonly string[] = [
  'temperature',
  'top_p',
  'presence_penalty',
  'frequency_penalty',
  'logprobs',
  'top_logprobs',
  'logit_bias',
]

/** Members that all models of a provider refuse; each from the provider's own pages, read 2026-11-26. */
const OF_PROVIDERS: Readonly<Record<string, readonly string[]>> = {
  // https://console.groq.com/docs/openai
  groq: ['logprobs', 'logit_bias', 'top_logprobs', 'n'],
  // One answer a request (https://docs.cohere.com/reference/chat); the codec leaves out what else means nothing.
  cohere: ['n'],
  cohere_chat: ['n'],
}

/** Who serves OpenAI's reasoning models under OpenAI's rules. */
const REASONING_PROVIDERS: ReadonlySet<string> = new Set(['openai', 'azure'])

const NONE: readonly string[] = []

/** The members of a body that this provider is known to refuse: what `drop_params` leaves out. */
export function refusedParams(provider: string, model: string, mode: HttpMode): readonly string[] {
  if (mode !== 'chat' && mode !== 'completion') return NONE
  const own = OF_PROVIDERS[provider]
  if (own !== undefined) return own
  return REASONING_PROVIDERS.has(provider) && isReasoningModel(model) ? OF_REASONING : NONE
}
