import type { Codec } from '../adapter.ts'
import { defaultsOf, withDefaults } from '../body-defaults.ts'
import { jsonTexts } from '../openai/surface.ts'
import { postJson } from '../post-json.ts'
import { decodeRerank } from '../rerank-answer.ts'
import { rerankOfTexts } from '../rerank-texts.ts'
import { cohereAddress, isV1 } from './address.ts'

const BOTH: Codec<'rerank'> = {
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

/** Rerank (https://docs.cohere.com/reference/rerank): the first version takes more, and both answer the same. */
export const cohereRerank = rerankOfTexts(BOTH, (target) => !isV1(target, 'rerank'))
