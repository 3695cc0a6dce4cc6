import type { Codec } from '../adapter.ts'
import { postJson } from '../post-json.ts'
import { toRerank } from '../rerank-answer.ts'
import { sortRerank } from '../rerank-request.ts'
import { jinaUrl } from './address.ts'

/** Rerank (https://api.jina.ai/redoc, read 2026-11-27): as Cohere's, but a document may come back as a bare text. */
export const jinaRerank: Codec<'rerank'> = {
  encode: (request, target) => {
    const { query, documents, most, rest, dropped } = sortRerank(request, target, [
      'max_doc_length',
      'return_embeddings',
    ])
    const body = {
      ...rest,
      query,
      documents,
      ...(most !== undefined && { top_n: most }),
      model: target.model,
    }
    return { ...postJson(jinaUrl(target, 'rerank'), body), dropped }
  },
  decode: (response) => toRerank(response, { list: 'results', score: 'relevance_score' }),
}
