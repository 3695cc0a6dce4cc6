import type { Deployment } from '../core/deployment.ts'
import type { HttpMode } from '../core/mode.ts'
import type { ProviderAdapter, Refused, Target } from './adapter.ts'
import { isReasoningModel } from './catalogue.ts'

/**
 * Members that reasoning models do not take: "Not Supported" in Azure's guide, which stands for OpenAI's models
 * (https://github.com/MicrosoftDocs/azure-ai-docs/blob/main/articles/foundry/openai/how-to/reasoning.md, of 2026-02-24,
 * read 2026-11-26). It names `max_tokens` too, which is not left out here: the answer would then have no bound. Models
 * since gpt-5.1 are said to take some of these while they do not reason; what is left out of those would have done.
 */
export const REFUSED_IN_REASONING: Refused = {
  fields: [
    'temperature',
    'top_p',
    'presence_penalty',
    'frequency_penalty',
    'logprobs',
    'top_logprobs',
    'logit_bias',
  ],
  of: isReasoningModel,
}

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
  readonly adapter: Pick<ProviderAdapter, 'refuses'>
  readonly deployment: Deployment
  readonly target: Target
  readonly fieldRules: FieldRules
}

/** The members of a body of this mode that `drop_params` leaves out; `isAsked` is the request's own word. */
export function refusedBy(
  { adapter, deployment, target, fieldRules }: Refusing,
  mode: HttpMode,
  isAsked: boolean = fieldRules.dropParams,
): readonly string[] {
  const { refuses } = adapter
  if (!isAsked || refuses === undefined || (mode !== 'chat' && mode !== 'completion')) return NONE
  const model = deployment.facts?.baseModel ?? target.model
  const refused = refuses.flatMap(({ fields, of }) => (of === undefined || of(model) ? fields : NONE))
  return refused.filter((name) => !fieldRules.keep.includes(name))
}
