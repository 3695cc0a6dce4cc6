import type { Translation } from '../request/operation.ts'
import { refuse } from '../request/request.ts'

/** Completions: providers that answer them as messages are read as text. */
export const COMPLETION_TRANSLATION: Translation<'completion'> = {
  read: (body) => {
    const { prompt, max_tokens: most, ...rest } = body
    if (typeof prompt !== 'string')
      throw refuse("'prompt' must be a text: this provider takes one.", 'prompt')
    return { ...rest, prompt, ...(typeof most === 'number' && { max_tokens: most }) }
  },
  answer: ({ whole }) => whole,
  isWanted: () => true,
}
