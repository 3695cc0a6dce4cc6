import type { Target, TokenCount } from '../adapter.ts'
import { numberOf } from '../answer.ts'
import { picked } from '../body-defaults.ts'
import { toMessagesBody } from '../anthropic/messages-body.ts'
import { toGeminiChat } from '../gemini/chat-request.ts'
import { postJson } from '../post-json.ts'
import { bareName, CLAUDE_VERSION, isClaude, VERTEX, vertexUrl } from './address.ts'

/** What `countTokens` takes of a request (https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/count-tokens). */
const GOOGLE_FIELDS = ['contents', 'systemInstruction', 'tools', 'generationConfig'] as const
/** What Anthropic counts (https://docs.anthropic.com/en/api/messages-count-tokens). */
const CLAUDE_FIELDS = ['messages', 'system', 'tools', 'tool_choice', 'thinking'] as const

/** Google's models by `countTokens`; Claude by a model of its own that counts for all others. */
export const vertexCount: TokenCount = {
  encode: (request, target) =>
    isClaude(target.model)
      ? postJson(vertexUrl(withoutModel(target), 'publishers/anthropic/models/count-tokens', 'rawPredict'), {
          anthropic_version: CLAUDE_VERSION,
          model: bareName(target.model),
          ...picked(toMessagesBody(request, target).body, CLAUDE_FIELDS),
        })
      : postJson(
          VERTEX.url(target, 'countTokens'),
          picked(toGeminiChat(request, target, VERTEX).body, GOOGLE_FIELDS),
        ),
  decode: ({ totalTokens, input_tokens: tokens }) => numberOf(totalTokens) ?? numberOf(tokens),
}

/** A base that names the model leads to no other. */
function withoutModel(target: Target): Target {
  return { ...target, base: target.base.replace(/\/publishers\/[^/]+\/models\/[^/]+$/, '') }
}
