import type { Codec } from '../adapter.ts'
import { withDefaults } from '../body-defaults.ts'
import { decodeEmbedding } from '../openai/embedding.ts'
import { rootOf } from '../openai/surface.ts'
import { postJson } from '../post-json.ts'

/** What a deployment may set beside OpenAI's fields. */
const OWN = ['truncation', 'output_dimension', 'output_dtype'] as const

/**
 * Embeddings (https://docs.voyageai.com/reference/embeddings-api, read 2026-11-27): `output_dimension` for `dimensions`;
 * of the encodings only `base64` has a name, numbers come where none is asked for.
 */
export const voyageEmbedding: Codec<'embedding'> = {
  encode: (request, target) => {
    const {
      dimensions,
      encoding_format: encoding,
      user: _,
      ...rest
    } = withDefaults('embedding', request, target.bodyDefaults, OWN)
    return postJson(`${rootOf(target)}/embeddings`, {
      ...rest,
      ...(dimensions !== undefined && { output_dimension: dimensions }),
      ...(encoding === 'base64' && { encoding_format: encoding }),
      model: target.model,
    })
  },
  decode: decodeEmbedding,
}
