import { isJsonObject, type Json } from '../../core/json.ts'
import type { EmbeddingResponse } from '../../core/mode.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Codec } from '../adapter.ts'
import { notAnAnswer, readAnswer, textOf } from '../answer.ts'
import { dimensions, vectorsOf } from '../vector.ts'
import { relayBody } from './relay.ts'
import { postBody, type Surface } from './surface.ts'

const EXPECTED = 'numbers in "data[0].embedding"'

/** Embeddings (https://platform.openai.com/docs/api-reference/embeddings/create). */
export function embeddingCodec(surface: Surface): Codec<'embedding'> {
  return {
    encode: (request, target) => postBody(surface, 'embedding', request, target),
    decode: decodeEmbedding,
    relay: relayBody(surface, 'embedding'),
  }
}

/** Reads OpenAI's list of vectors, which others answer with too. */
export function decodeEmbedding(response: WireResponse): EmbeddingResponse {
  const body = readAnswer(response, EXPECTED)
  const { data, usage } = body
  const vectors = vectorsOf(Array.isArray(data) ? data.map(embeddingIn) : [])
  const size = dimensions(vectors?.[0])
  if (vectors === undefined || size === 0) throw notAnAnswer(response, body, EXPECTED)
  return {
    dimensions: size,
    model: textOf(body['model']),
    vectors,
    ...(isJsonObject(usage) ? { usage } : {}),
  }
}

function embeddingIn(row: Json): Json {
  return isJsonObject(row) ? (row['embedding'] ?? null) : null
}
