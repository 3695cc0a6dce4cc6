import type { Codec } from '../adapter.ts'
import { notAnAnswer, readAnswer } from '../answer.ts'
import { relayBody } from './relay.ts'
import { postBody, type Surface } from './surface.ts'

const EXPECTED = 'a filled "results" array'

/** Moderations (https://platform.openai.com/docs/api-reference/moderations/create). */
export function moderationCodec(surface: Surface): Codec<'moderation'> {
  return {
    encode: (request, target) => postBody(surface, 'moderation', request, target),
    decode: (response) => {
      const body = readAnswer(response, EXPECTED)
      const results = body['results']
      if (!Array.isArray(results) || results.length === 0) throw notAnAnswer(response, body, EXPECTED)
      return { results: results.length }
    },
    relay: relayBody(surface, 'moderation'),
  }
}
