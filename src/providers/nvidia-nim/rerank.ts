import type { Codec, Target } from '../adapter.ts'
import { postJson } from '../post-json.ts'
import { toRerank } from '../rerank-answer.ts'
import { sortRerank } from '../rerank-request.ts'

/** The host of NVIDIA's own rerankers; it has nothing else. */
export const RANKING_HOST = 'ai.api.nvidia.com'

/** LiteLLM's word before a model that is asked at `/ranking` wherever it runs. */
const AT_RANKING = 'ranking/'

/**
 * Rerank: a container serves `/ranking` (https://docs.nvidia.com/nim/nemo-retriever/text-reranking/2.3/using-reranking.html,
 * read 2026-11-27), NVIDIA's catalogue a path of each model
 * (https://docs.api.nvidia.com/nim/reference/nvidia-llama-3_2-nv-rerankqa-1b-v2-infer). All passages are ranked: of
 * `top_n` and `return_documents` the gateway takes care.
 */
export const nimRerank: Codec<'rerank'> = {
  encode: (request, target) => {
    const { url, model } = rankingAddress(target)
    const { query, documents, rest, dropped } = sortRerank(request, target, ['truncate'])
    const { return_documents: _, ...own } = rest
    const passages = documents.map((text) => ({ text }))
    return { ...postJson(url, { ...own, query: { text: query }, passages, model }), dropped }
  },
  decode: (response) => toRerank(response, { list: 'rankings', score: 'logit' }),
}

/** The catalogue writes a model's version with `_` in the path and with `.` in the body. A pasted route is meant. */
function rankingAddress({ base, model: written }: Target): { readonly url: string; readonly model: string } {
  const model = written.startsWith(AT_RANKING) ? written.slice(AT_RANKING.length) : written
  const isOfCatalogue = new URL(base).hostname === RANKING_HOST && model === written
  const named = isOfCatalogue ? model.replaceAll('_', '.') : model
  if (/\/(?:re)?ranking$/.test(base)) return { url: base, model: named }
  const path = model.replaceAll('.', '_').split('/').map(encodeURIComponent).join('/')
  return { url: isOfCatalogue ? `${base}/retrieval/${path}/reranking` : `${base}/ranking`, model: named }
}
