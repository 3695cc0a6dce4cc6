import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { Codec } from '../adapter.ts'
import { notAnAnswer, readAnswer } from '../answer.ts'
import { withDefaults } from '../body-defaults.ts'
import { postJson } from '../post-json.ts'

const EXPECTED = 'numbers in "results[0].index" and "results[0].relevanceScore"'

/**
 * Rerank of Bedrock's agent runtime (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_Rerank.html):
 * one request for all models, which it knows by their ARNs.
 */
export const bedrockRerank: Codec<'rerank'> = {
  encode: (request, target) => {
    const {
      query,
      documents: _,
      top_n: top,
      max_tokens_per_doc: most,
      ...rest
    } = withDefaults('rerank', request, target.bodyDefaults)
    const sources = request.documents.map((text) => ({
      type: 'INLINE',
      inlineDocumentSource: { type: 'TEXT', textDocument: { text } },
    }))
    const fields = most == null ? {} : { additionalModelRequestFields: { max_tokens_per_doc: most } }
    const body = {
      queries: [{ type: 'TEXT', textQuery: { text: query } }],
      sources,
      rerankingConfiguration: {
        type: 'BEDROCK_RERANKING_MODEL',
        bedrockRerankingConfiguration: {
          // Without a number Bedrock returns some only.
          numberOfResults: typeof top === 'number' ? Math.min(top, sources.length) : sources.length,
          modelConfiguration: { modelArn: modelArn(target.model, target.region ?? ''), ...fields },
        },
      },
    }
    const dropped = Object.keys(rest).filter((name) => !MEANINGLESS.has(name))
    return { ...postJson(`${target.base}/rerank`, body), dropped }
  },
  decode: (response) => {
    const body = readAnswer(response, EXPECTED)
    const listed = body['results']
    const results = Array.isArray(listed) ? listed.flatMap(readResult) : []
    if (results.length === 0) throw notAnAnswer(response, body, EXPECTED)
    const id = response.headers['x-amzn-requestid'] ?? ''
    const scores = results.map(({ index, relevance_score }) => ({ index, relevance_score }))
    return { results: scores, whole: { id, results, meta: { api_version: { version: '2' } } } }
  },
}

/** Documents are put back by who asks for them. */
const MEANINGLESS = new Set(['model', 'return_documents', 'user'])

/** `arn:aws:bedrock:us-west-2::foundation-model/cohere.rerank-v3-5:0`; China and the government have clouds of their own. */
function modelArn(model: string, region: string): string {
  if (model.startsWith('arn:')) return model
  const cloud = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
  return `arn:${cloud}:bedrock:${region}::foundation-model/${model}`
}

function readResult(
  value: Json,
): (JsonObject & { readonly index: number; readonly relevance_score: number })[] {
  if (!isJsonObject(value)) return []
  const { index, relevanceScore, document } = value
  if (typeof index !== 'number' || typeof relevanceScore !== 'number') return []
  const said = isJsonObject(document) ? document['textDocument'] : undefined
  const text = isJsonObject(said) ? said['text'] : undefined
  return [{ index, relevance_score: relevanceScore, ...(typeof text === 'string' && { document: { text } }) }]
}
