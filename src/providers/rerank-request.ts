import type { JsonObject } from '../core/json.ts'
import type { RerankRequest } from '../core/mode.ts'
import type { Target } from './adapter.ts'
import { withDefaults } from './body-defaults.ts'

/** Cohere's fields that only some rerankers have a word for. */
const LIMITS = ['max_chunks_per_doc', 'max_tokens_per_doc', 'rank_fields'] as const
/** What changes no answer. */
const MEANINGLESS = ['user', 'metadata'] as const

/** A rerank request, sorted for a provider that knows less than Cohere. */
export interface SortedRerank {
  readonly query: string
  readonly documents: readonly string[]
  /** How many results are wanted; absent: all. */
  readonly most?: number
  /** Fields that are nobody's or the provider's own: carried. */
  readonly rest: JsonObject
  /** Cohere's fields that the provider has no word for. */
  readonly dropped: readonly string[]
}

/** Takes a request apart. The deployment's defaults are in it, those of `own` names too; what cannot be said is not. */
export function sortRerank(request: RerankRequest, target: Target, own: readonly string[]): SortedRerank {
  const { query, documents } = request
  const {
    query: _,
    documents: __,
    top_n: most,
    ...others
  } = withDefaults('rerank', request, target.bodyDefaults, own)
  const left = Object.entries(others).filter(
    ([name]) => !isOneOf(LIMITS, name) && !isOneOf(MEANINGLESS, name),
  )
  return {
    query,
    documents,
    ...(typeof most === 'number' && { most }),
    rest: Object.fromEntries(left),
    dropped: LIMITS.filter((name) => request[name] !== undefined),
  }
}

function isOneOf(names: readonly string[], name: string): boolean {
  return names.includes(name)
}
