import type { Translation } from '../request/operation.ts'
import { refuse } from '../request/request.ts'

/** Images (https://platform.openai.com/docs/api-reference/images/create) from providers with words of their own. */
export const IMAGE_TRANSLATION: Translation<'image_generation'> = {
  read: (body) => {
    const { prompt } = body
    if (typeof prompt !== 'string' || prompt === '') throw refuse("'prompt' must be a text.", 'prompt')
    return { ...body, prompt }
  },
  answer: ({ whole }) => whole ?? {},
  isWanted: () => true,
}
