import type { Codec } from '../adapter.ts'
import { notAnAnswer, readAnswer } from '../answer.ts'
import { withQuery } from '../route.ts'
import type { Surface } from './surface.ts'

const EXPECTED = 'a "data" array of batches'

/** The list of batches (https://platform.openai.com/docs/api-reference/batch/list): free, and it may be empty. */
export function batchCodec(surface: Surface): Codec<'batch'> {
  return {
    encode: (request, target) => ({
      method: 'GET',
      url: withQuery(surface.url(target, 'batch'), 'limit', String(request.limit)),
      headers: { accept: 'application/json' },
    }),
    decode: (response) => {
      const body = readAnswer(response, EXPECTED)
      const data = body['data']
      if (body['object'] !== 'list' || !Array.isArray(data)) throw notAnAnswer(response, body, EXPECTED)
      return { batches: data.length }
    },
  }
}
