import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { Codec } from '../adapter.ts'
import { notAnAnswer, readAnswer } from '../answer.ts'
import { withDefaults } from '../body-defaults.ts'
import { postJson } from '../post-json.ts'
import { dimensions } from '../vector.ts'
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
    const size = dimensions(firstVector(body['embeddings']))
    if (size === 0) throw notAnAnswer(response, body, EXPECTED)
    return { dimensions: size, model: target.model }
  },
}

/** A list of vectors (v1), or lists by type (v2, and v1 when types are asked for). */
function firstVector(embeddings: Json | undefined): Json | undefined {
  if (Array.isArray(embeddings)) return embeddings[0]
  if (!isJsonObject(embeddings)) return undefined
  const byType = Object.values(embeddings).find((list) => Array.isArray(list) && list.length > 0)
  return Array.isArray(byType) ? byType[0] : undefined
}
