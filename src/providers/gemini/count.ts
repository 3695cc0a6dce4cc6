import type { TokenCount } from '../adapter.ts'
import { numberOf } from '../answer.ts'
import { postJson } from '../post-json.ts'
import { toGeminiChat } from './chat-request.ts'
import { AI_STUDIO } from './surface.ts'

/** AI Studio takes the whole request (https://ai.google.dev/api/tokens#method:-models.counttokens). */
export const geminiCount: TokenCount = {
  encode: (request, target) => {
    const body = {
      generateContentRequest: {
        model: AI_STUDIO.name(target),
        ...toGeminiChat(request, target, AI_STUDIO).body,
      },
    }
    return postJson(AI_STUDIO.url(target, 'countTokens'), body)
  },
  decode: ({ totalTokens }) => numberOf(totalTokens),
}
