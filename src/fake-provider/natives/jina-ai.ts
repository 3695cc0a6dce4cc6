import type { JsonObject } from '../../core/json.ts'
import { jsonReply } from '../reply.ts'
import type { Reply } from '../reply.ts'
import { faultIn } from './closed-body.ts'
import type { ClosedBody, Fault } from './closed-body.ts'
import { hasBearer } from './bearer.ts'
import type { Native } from './native.ts'
import { ranked, vectors } from './ranked.ts'

/** https://api.jina.ai/redoc, read 2026-11-27. */
const BODIES: Readonly<Record<string, ClosedBody>> = {
  '/v1/embeddings': {
    required: { input: ['text', 'texts', 'objects'], model: ['text'] },
    optional: {
      embedding_type: ['text', 'texts'],
      task: ['text'],
      dimensions: ['whole'],
      normalized: ['flag'],
      late_chunking: ['flag'],
      truncate: ['flag'],
    },
  },
  '/v1/rerank': {
    required: { query: ['text'], documents: ['texts', 'objects'], model: ['text'] },
    optional: {
      top_n: ['whole'],
      return_documents: ['flag'],
      max_doc_length: ['whole'],
      return_embeddings: ['flag'],
    },
  },
}

/** Jina: two routes, closed bodies, errors as `detail`; documents come back as bare texts unless nobody wants them. */
export const jinaAi: Native = {
  id: 'jina_ai',
  answer: (call) => {
    const body = BODIES[call.path]
    if (body === undefined) return say(404, 'Not Found')
    if (call.method !== 'POST') return say(405, 'Method Not Allowed')
    if (!hasBearer(call)) return say(401, 'Unauthorized')
    const fault = faultIn(call.json, body)
    if (fault !== undefined) return jsonReply(422, { detail: [words(fault)] })
    const { json = {} } = call
    return jsonReply(200, call.path === '/v1/rerank' ? rankingOf(json) : embeddingsOf(json))
  },
  error: (status, message, headers) => jsonReply(status, { detail: message }, headers),
}

const FAULTS = {
  unknown: { type: 'extra_forbidden', msg: 'Extra inputs are not permitted' },
  missing: { type: 'missing', msg: 'Field required' },
  type: { type: 'type_error', msg: 'Input should be of another type' },
} as const

function words({ kind, name }: Fault): JsonObject {
  return { ...FAULTS[kind], loc: ['body', name] }
}

function embeddingsOf({ input, model, embedding_type: type }: JsonObject): JsonObject {
  const usage = { total_tokens: 4, prompt_tokens: 4 }
  return { model, object: 'list', usage, data: vectors(input, type === 'base64') }
}

function rankingOf({ documents, top_n: most, model, return_documents: said }: JsonObject): JsonObject {
  const texts = Array.isArray(documents) ? documents : []
  const results = ranked(documents, most).map(({ index, score }) =>
    said === false
      ? { index, relevance_score: score }
      : { index, relevance_score: score, document: texts[index] ?? null },
  )
  return { model, object: 'list', usage: { total_tokens: 26 }, results }
}

function say(status: number, detail: string): Reply {
  return jsonReply(status, { detail })
}
