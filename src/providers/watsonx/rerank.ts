import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { RerankRequest, RerankResponse } from '../../core/mode.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Codec, Encoded, Target } from '../adapter.ts'
import { notAnAnswer, numberOf, readAnswer, textOf } from '../answer.ts'
import { withDefaults } from '../body-defaults.ts'
import { postJson } from '../post-json.ts'
import { watsonxUrl } from './address.ts'
import { whose } from './chat-request.ts'

const EXPECTED = 'numbers in "results[0].index" and "results[0].score"'
/** Cohere's members that watsonx has no word for. */
const UNSAID = ['rank_fields', 'max_chunks_per_doc'] as const

/** Rerank (https://cloud.ibm.com/apidocs/watsonx-ai#text-rerank, read 2026-11-27). */
export const watsonxRerank: Codec<'rerank'> = { encode, decode }

function encode(request: RerankRequest, target: Target): Encoded {
  const {
    query,
    documents: _,
    model: __,
    top_n: top,
    return_documents: again,
    max_tokens_per_doc: most,
    rank_fields: ___,
    max_chunks_per_doc: ____,
    ...more
  } = withDefaults('rerank', request, target.bodyDefaults)
  const options = { ...(top !== undefined && { top_n: top }), ...(again !== undefined && { inputs: again }) }
  const parameters = {
    ...(most !== undefined && { truncate_input_tokens: most }),
    ...(Object.keys(options).length > 0 && { return_options: options }),
  }
  const dropped = UNSAID.filter((name) => request[name] !== undefined)
  const body: JsonObject = {
    ...more,
    query,
    inputs: request.documents.map((text) => ({ text })),
    ...(Object.keys(parameters).length > 0 && { parameters }),
    ...whose(target),
  }
  return { ...postJson(watsonxUrl(target, 'text/rerank'), body), ...(dropped.length > 0 && { dropped }) }
}

/** `{model_id, results: [{index, score, input?}], input_token_count}` */
function decode(response: WireResponse): RerankResponse {
  const body = readAnswer(response, EXPECTED)
  const listed = body['results']
  const told = Array.isArray(listed) ? listed.flatMap(readResult) : []
  if (told.length === 0) throw notAnAnswer(response, body, EXPECTED)
  const tokens = numberOf(body['input_token_count'])
  return {
    results: told.map(({ index, relevance_score }) => ({ index, relevance_score })),
    whole: {
      id: textOf(body['id']) ?? '',
      results: told.map(toCohere),
      meta: tokens === undefined ? {} : { tokens: { input_tokens: tokens } },
    },
  }
}

function toCohere({ index, relevance_score, document }: Result): JsonObject {
  return { index, relevance_score, ...(document !== undefined && { document }) }
}

interface Result {
  readonly index: number
  readonly relevance_score: number
  readonly document?: JsonObject
}

function readResult(value: Json): readonly Result[] {
  if (!isJsonObject(value)) return []
  const { index, score, input } = value
  if (typeof index !== 'number' || typeof score !== 'number') return []
  const document = typeof input === 'string' ? { text: input } : input
  return [{ index, relevance_score: score, ...(isJsonObject(document) && { document }) }]
}
