import type { Codec } from '../adapter.ts'
import { rootOf } from '../openai/surface.ts'
import { postJson } from '../post-json.ts'
import { toRerank } from '../rerank-answer.ts'
import { sortRerank } from '../rerank-request.ts'

/**
 * Rerank (https://docs.voyageai.com/reference/reranker-api, read 2026-11-27): `top_k` for `top_n`, results in `data`.
 * Documents are not asked for: the gateway knows them.
 */
export const voyageRerank: Codec<'rerank'> = {
  encode: (request, target) => {
    const { query, documents, most, rest, dropped } = sortRerank(request, target, ['truncation'])
    const { return_documents: _, ...own } = rest
    const body = { ...own, query, documents, ...(most !== undefined && { top_k: most }), model: target.model }
    return { ...postJson(`${rootOf(target)}/rerank`, body), dropped }
  },
  decode: (response) => toRerank(response, { list: 'data', score: 'relevance_score' }),
}
