import type { Codec } from '../adapter.ts'
import { firstObject, notAnAnswer, readAnswer, textOf } from '../answer.ts'
import { dimensions } from '../vector.ts'
import { relayJson } from './relay.ts'
import { postBody, type Surface } from './surface.ts'

const EXPECTED = 'numbers in "data[0].embedding"'

/** Embeddings (https://platform.openai.com/docs/api-reference/embeddings/create). */
export function embeddingCodec(surface: Surface): Codec<'embedding'> {
  return {
    encode: (request, target) => postBody(surface, 'embedding', request, target),
    decode: (response) => {
      const body = readAnswer(response, EXPECTED)
      const size = dimensions(firstObject(body['data'])?.['embedding'])
      if (size === 0) throw notAnAnswer(response, body, EXPECTED)
      return { dimensions: size, model: textOf(body['model']) }
    },
    relay: relayJson(surface, 'embedding'),
  }
}
