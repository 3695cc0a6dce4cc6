import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { Codec } from '../adapter.ts'
import { notAnAnswer, numberOf, readAnswer, textOf } from '../answer.ts'
import { withDefaults } from '../body-defaults.ts'
import { postJson } from '../post-json.ts'
import { dimensions, vectorsOf } from '../vector.ts'
import { watsonxUrl } from './address.ts'
import { whose } from './chat-request.ts'

const EXPECTED = 'numbers in "results[0].embedding"'

/** Embeddings (https://cloud.ibm.com/apidocs/watsonx-ai#text-embeddings, read 2026-11-27). */
export const watsonxEmbeddings: Codec<'embedding'> = {
  encode: (request, target) => {
    const {
      input,
      dimensions: size,
      encoding_format: _,
      user: __,
      model: ___,
      input_type: type,
      truncate: cut,
      truncate_input_tokens: kept,
      ...more
    } = withDefaults('embedding', request, target.bodyDefaults)
    // One vector length a model, and no purpose to choose.
    const dropped = Object.entries({ dimensions: size, input_type: type, truncate: cut })
      .filter(([, value]) => value !== undefined)
      .map(([name]) => name)
    const body: JsonObject = {
      ...more,
      inputs: typeof input === 'string' ? [input] : input,
      ...(kept !== undefined && { parameters: { truncate_input_tokens: kept } }),
      ...whose(target),
    }
    return {
      ...postJson(watsonxUrl(target, 'text/embeddings'), body),
      ...(dropped.length > 0 && { dropped }),
    }
  },
  decode: (response, target) => {
    const body = readAnswer(response, EXPECTED)
    const { results } = body
    const vectors = vectorsOf(Array.isArray(results) ? results.map(embeddingIn) : [])
    const size = dimensions(vectors?.[0])
    if (vectors === undefined || size === 0) throw notAnAnswer(response, body, EXPECTED)
    const tokens = numberOf(body['input_token_count'])
    return {
      dimensions: size,
      model: textOf(body['model_id']) ?? target.model,
      vectors,
      ...(tokens !== undefined && { usage: { prompt_tokens: tokens, total_tokens: tokens } }),
    }
  },
}

function embeddingIn(row: Json): Json {
  return isJsonObject(row) ? (row['embedding'] ?? null) : null
}
