import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { Codec } from '../adapter.ts'
import { notAnAnswer, numberOf, readAnswer } from '../answer.ts'
import { withDefaults } from '../body-defaults.ts'
import { postJson } from '../post-json.ts'
import { dimensions, vectorsOf } from '../vector.ts'
import { cohereAddress } from './address.ts'

const EXPECTED = 'numbers in "embeddings"'

/** Embed (https://docs.cohere.com/reference/embed): `input_type` is a must, v2 also wants `embedding_types`. */
export const cohereEmbed: Codec<'embedding'> = {
  encode: (request, target) => {
    const { url, version } = cohereAddress(target, 'embed')
    const {
      input,
      dimensions: size,
      encoding_format: _,
      user: __,
      ...rest
    } = withDefaults('embedding', request, target.bodyDefaults)
    const body: JsonObject = {
      input_type: 'search_document',
      ...(version === 'v2' ? { embedding_types: ['float'] } : {}),
      ...(size === undefined ? {} : { output_dimension: size }),
      ...rest,
      texts: typeof input === 'string' ? [input] : input,
      model: target.model,
    }
    return postJson(url, body)
  },
  decode: (response, target) => {
    const body = readAnswer(response, EXPECTED)
    const vectors = vectorsOf(listedVectors(body['embeddings']))
    const size = dimensions(vectors?.[0])
    if (vectors === undefined || size === 0) throw notAnAnswer(response, body, EXPECTED)
    return { dimensions: size, model: target.model, vectors, ...usageOf(body['meta']) }
  },
}

/** A list of vectors (v1), or lists by type (v2, and v1 when types are asked for). */
function listedVectors(embeddings: Json | undefined): readonly Json[] {
  if (Array.isArray(embeddings)) return embeddings
  if (!isJsonObject(embeddings)) return []
  const byType = [embeddings['float'], ...Object.values(embeddings)].find(
    (list) => Array.isArray(list) && list.length > 0,
  )
  return Array.isArray(byType) ? byType : []
}

/** What was billed, as OpenAI counts it. */
function usageOf(meta: Json | undefined): { readonly usage?: JsonObject } {
  const billed = isJsonObject(meta) ? meta['billed_units'] : undefined
  const tokens = isJsonObject(billed) ? numberOf(billed['input_tokens']) : undefined
  return tokens === undefined ? {} : { usage: { prompt_tokens: tokens, total_tokens: tokens } }
}
