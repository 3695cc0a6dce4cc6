import type { Codec } from '../adapter.ts'
import { notAnAnswer, numberOf, readAnswer, textOf } from '../answer.ts'
import { withDefaults } from '../body-defaults.ts'
import { postJson } from '../post-json.ts'
import { dimensions, vectorsOf } from '../vector.ts'
import { ollamaUrl } from './address.ts'
import { withOptions } from './options.ts'

const EXPECTED = 'numbers in "embeddings"'

/** Embeddings (https://docs.ollama.com/api/embed). */
export const ollamaEmbed: Codec<'embedding'> = {
  encode: (request, target) => {
    const {
      input,
      encoding_format: _,
      user: __,
      ...rest
    } = withDefaults('embedding', request, target.bodyDefaults)
    return postJson(ollamaUrl(target, 'embed'), { ...withOptions(rest), input, model: target.model })
  },
  decode: (response, target) => {
    const body = readAnswer(response, EXPECTED)
    const listed = body['embeddings']
    const vectors = vectorsOf(Array.isArray(listed) ? listed : [])
    const size = dimensions(vectors?.[0])
    if (vectors === undefined || size === 0) throw notAnAnswer(response, body, EXPECTED)
    const read = numberOf(body['prompt_eval_count'])
    return {
      dimensions: size,
      model: textOf(body['model']) ?? target.model,
      vectors,
      ...(read === undefined ? {} : { usage: { prompt_tokens: read, total_tokens: read } }),
    }
  },
}
