import type { Mode } from './mode.ts'

/** What the provider tables know of a model string. */
export interface Resolution {
  /** The provider's id, or the prefix as written where it is unknown. */
  readonly provider: string
  /** The model in the provider's words. */
  readonly upstreamModel: string
  /** The mode that the catalogue knows for this very model. */
  readonly catalogueMode?: Mode
  /** One sentence, set where nothing can be sent: an unknown provider, or one that is not built yet. */
  readonly problem?: string
}

/** `litellm_params.model` (with `custom_llm_provider` and `api_base`) → provider and model. Pure. */
export type ResolveModel = (
  model: string,
  hints: { readonly customProvider?: string; readonly apiBase?: string },
) => Resolution
