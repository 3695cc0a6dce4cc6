import type { JsonObject } from '../../core/json.ts'
import { jsonReply } from '../reply.ts'
import type { Reply } from '../reply.ts'
import { faultIn } from './closed-body.ts'
import type { ClosedBody, Fault } from './closed-body.ts'
import { hasBearer } from './bearer.ts'
import type { Native } from './native.ts'
import { ranked, vectors } from './ranked.ts'

/** https://docs.voyageai.com/reference/embeddings-api and /reranker-api, read 2026-11-27. */
const BODIES: Readonly<Record<string, ClosedBody>> = {
  '/v1/embeddings': {
    required: { input: ['text', 'texts'], model: ['text'] },
    optional: {
      input_type: ['text'],
      truncation: ['flag'],
      output_dimension: ['whole'],
      output_dtype: ['text'],
      encoding_format: ['text'],
    },
  },
  '/v1/rerank': {
    required: { query: ['text'], documents: ['texts'], model: ['text'] },
    optional: { top_k: ['whole'], return_documents: ['flag'], truncation: ['flag'] },
  },
}

/** Voyage: two routes, closed bodies, errors as `detail`. */
export const voyage: Native = {
  id: 'voyage',
  answer: (call) => {
    const body = BODIES[call.path]
    if (body === undefined) return say(404, 'Not Found')
    if (call.method !== 'POST') return say(405, 'Method Not Allowed')
    const fault = faultIn(call.json, body)
    if (fault !== undefined) return say(400, words(fault))
    // It looks at the body first, as was seen of it in September 2026.
    if (!hasBearer(call)) return say(401, 'Provided API key is invalid.')
    const { json = {} } = call
    const encoding = json['encoding_format']
    if (encoding !== undefined && encoding !== 'base64')
      return say(400, "Argument 'encoding_format' must be null or 'base64'.")
    return jsonReply(200, call.path === '/v1/rerank' ? rankingOf(json) : embeddingsOf(json))
  },
  error: (status, message, headers) => jsonReply(status, { detail: message }, headers),
}

function words({ kind, name }: Fault): string {
  if (kind === 'unknown')
    return `The request body is not valid JSON, or some arguments were not specified properly. In particular, Argument '${name}' is not supported by our API`
  return kind === 'missing'
    ? `Request body is missing required argument: '${name}'`
    : `Argument '${name}' has a wrong type`
}

function embeddingsOf({ input, model, encoding_format: encoding }: JsonObject): JsonObject {
  return { object: 'list', data: vectors(input, encoding === 'base64'), model, usage: { total_tokens: 4 } }
}

function rankingOf({ documents, top_k: most, model, return_documents: said }: JsonObject): JsonObject {
  const texts = Array.isArray(documents) ? documents : []
  const data = ranked(documents, most).map(({ index, score }) =>
    said === true
      ? { index, relevance_score: score, document: texts[index] ?? null }
      : { index, relevance_score: score },
  )
  return { object: 'list', data, model, usage: { total_tokens: 26 } }
}

function say(status: number, detail: string): Reply {
  return jsonReply(status, { detail })
}
