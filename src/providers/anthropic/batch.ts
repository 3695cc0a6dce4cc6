import type { Codec } from '../adapter.ts'
import { notAnAnswer, readAnswer } from '../answer.ts'
import { withQuery } from '../route.ts'
import { anthropicUrl } from './address.ts'

const EXPECTED = 'a "data" array of batches'

/** The list of batches (https://platform.claude.com/docs/en/api/messages/batches/list): free, and it may be empty. */
export const anthropicBatch: Codec<'batch'> = {
  encode: (request, target) => ({
    method: 'GET',
    url: withQuery(anthropicUrl(target, '/messages/batches'), 'limit', String(request.limit)),
    headers: { accept: 'application/json' },
  }),
  decode: (response) => {
    const body = readAnswer(response, EXPECTED)
    const data = body['data']
    if (!Array.isArray(data) || typeof body['has_more'] !== 'boolean')
      throw notAnAnswer(response, body, EXPECTED)
    return { batches: data.length }
  },
}
