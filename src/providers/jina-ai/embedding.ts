import type { Codec } from '../adapter.ts'
import { withDefaults } from '../body-defaults.ts'
import { decodeEmbedding } from '../openai/embedding.ts'
import { postJson } from '../post-json.ts'
import { jinaUrl } from './address.ts'

/** What a deployment may set beside OpenAI's fields. */
const OWN = ['task', 'late_chunking', 'normalized', 'embedding_type'] as const

/** Embeddings (https://api.jina.ai/redoc, read 2026-11-27): `embedding_type` is OpenAI's `encoding_format`. */
export const jinaEmbedding: Codec<'embedding'> = {
  encode: (request, target) => {
    const {
      encoding_format: encoding,
      user: _,
      ...rest
    } = withDefaults('embedding', request, target.bodyDefaults, OWN)
    return postJson(jinaUrl(target, 'embeddings'), {
      ...(encoding !== undefined && { embedding_type: encoding }),
      ...rest,
      model: target.model,
    })
  },
  decode: decodeEmbedding,
}
