import type { Deployment } from '../core/deployment.ts'
import type { HttpMode } from '../core/mode.ts'
import type { Target } from './adapter.ts'
import { isReasoningModel } from './catalogue.ts'

/**
 * Members that reasoning models do not take: "Not Supported" in Azure's guide, which stands for OpenAI's models
 * (https://github.com/MicrosoftDocs/azure-ai-docs/blob/main/articles/foundry/openai/how-to/reasoning.md, of 2026-02-24,
 * read 2026-11-26). It names `max_tokens` too, which is not left out here: the answer would then have no bound. Models
 * since gpt-5.1 are said to take some of these while they do not reason; what is left out of those would have done.
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

/** Members that all models of a provider refuse. */
const OF_PROVIDERS: Readonly<Record<string, readonly string[]>> = {
  // 400, and so is `n` above 1 (https://console.groq.com/docs/openai, read 2026-11-26). `messages[].name` is one more.
  groq: ['logprobs', 'logit_bias', 'top_logprobs', 'n'],
  // Its chat has no such member: the codec refuses more than one answer, and leaves out what else means nothing.
  cohere: ['n'],
  cohere_chat: ['n'],
}

/** Who serves OpenAI's reasoning models under OpenAI's rules. */
const REASONING_PROVIDERS: ReadonlySet<string> = new Set(['openai', 'azure', 'azure_ai'])

const NONE: readonly string[] = []

/** What the config says of members that must not go out. */
export interface FieldRules {
  /** Leave out what the provider is known to refuse; a request's own word wins. */
  readonly dropParams: boolean
  /** Names and paths. */
  readonly drop: readonly string[]
  /** Never left out by `dropParams`. */
  readonly keep: readonly string[]
}

/** A deployment and what is left out of its bodies. */
interface Refusing {
  readonly deployment: Deployment
  readonly target: Target
  readonly fieldRules: FieldRules
}

/** The members of a body of this mode that `drop_params` leaves out; `isAsked` is the request's own word. */
export function refusedBy(
  { deployment, target, fieldRules }: Refusing,
  mode: HttpMode,
  isAsked: boolean = fieldRules.dropParams,
): readonly string[] {
  if (!isAsked || (mode !== 'chat' && mode !== 'completion')) return NONE
  const { provider, model } = target
  const refused = OF_PROVIDERS[provider] ?? ofReasoning(provider, deployment.facts?.baseModel ?? model)
  return refused.filter((name) => !fieldRules.keep.includes(name))
}

function ofReasoning(provider: string, model: string): readonly string[] {
  return REASONING_PROVIDERS.has(provider) && isReasoningModel(model) ? OF_REASONING : NONE
}
