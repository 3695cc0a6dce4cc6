import type { Codec } from '../adapter.ts'
import { defaultsOf, withDefaults } from '../body-defaults.ts'
import { jsonTexts } from '../openai/surface.ts'
import { postJson } from '../post-json.ts'
import { decodeRerank } from '../rerank-answer.ts'
import { cohereAddress } from './address.ts'

/** Rerank (https://docs.cohere.com/reference/rerank): both versions take and answer the same. */
export const cohereRerank: Codec<'rerank'> = {
  encode: (request, target) =>
    postJson(cohereAddress(target, 'rerank').url, {
      ...withDefaults('rerank', request, target.bodyDefaults),
      model: target.model,
    }),
  decode: decodeRerank,
  relay: {
    url: (target) => cohereAddress(target, 'rerank').url,
    edits: (target) => ({
      set: { model: JSON.stringify(target.model) },
      defaults: jsonTexts(defaultsOf('rerank', target.bodyDefaults)),
    }),
  },
}
