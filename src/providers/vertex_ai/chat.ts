import type { ChatRequest } from '../../core/mode.ts'
import type { Codec, Encoded, Target } from '../adapter.ts'
import { anthropicChat, openAnthropicStream } from '../anthropic/chat.ts'
import { toMessagesBody } from '../anthropic/messages-body.ts'
import { geminiChat } from '../gemini/chat.ts'
import { openGeminiStream } from '../gemini/chat-stream.ts'
import { postJson } from '../post-json.ts'
import { CLAUDE_VERSION, isClaude, VERTEX } from './address.ts'

const GEMINI = geminiChat(VERTEX)

/** Chat with Google's models in Google's words, with Claude in Anthropic's. */
export const vertexChat: Codec<'chat'> = {
  encode: (request, target) =>
    isClaude(target.model) ? toClaude(request, target) : GEMINI.encode(request, target),
  // Claude reads no URLs there (https://docs.claude.com/en/docs/build-with-claude/vision).
  inlines: (url, target) =>
    isClaude(target.model) ? /^https?:/i.test(url) : GEMINI.inlines?.(url, target) === true,
  decode: (response, target) => codecOf(target).decode(response, target),
  openStream: (target) => (isClaude(target.model) ? openAnthropicStream(target) : openGeminiStream(target)),
}

function codecOf({ model }: Target): Codec<'chat'> {
  return isClaude(model) ? anthropicChat : GEMINI
}

/** https://docs.claude.com/en/api/claude-on-vertex-ai */
function toClaude(request: ChatRequest, target: Target): Encoded {
  const { body, dropped } = toMessagesBody(request, target)
  const { model: _, ...words } = body
  const method = request.stream === true ? 'streamRawPredict' : 'rawPredict'
  return {
    ...postJson(VERTEX.url(target, method), { anthropic_version: CLAUDE_VERSION, ...words }),
    ...(dropped.length > 0 && { dropped }),
  }
}
