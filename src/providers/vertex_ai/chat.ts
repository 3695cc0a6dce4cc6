import type { ChatRequest } from '../../core/mode.ts'
import type { Codec, Encoded, Target } from '../adapter.ts'
import { anthropicChat, openAnthropicStream } from '../anthropic/chat.ts'
import { toMessagesBody, withMarkedEnd } from '../anthropic/messages-body.ts'
import { withBetas } from '../betas.ts'
import { geminiChat } from '../gemini/chat.ts'
import { openGeminiStream } from '../gemini/chat-stream.ts'
import { decodeMistralChat, openMistralStream } from '../mistral/chat-answer.ts'
import { toMistralChat } from '../mistral/chat-request.ts'
import { postJson } from '../post-json.ts'
import { CLAUDE_VERSION, rawMethod, VERTEX } from './address.ts'
import { vertexModel, type Words } from './model-name.ts'
import { AI21_CHAT, OPEN_CHAT } from './open-models.ts'

type Chat = Codec<'chat'> & Required<Pick<Codec<'chat'>, 'openStream'>>

const CHATS: { readonly [W in Words]: Chat } = {
  google: { ...geminiChat(VERTEX), openStream: openGeminiStream },
  anthropic: {
    ...anthropicChat,
    encode: toClaude,
    // Claude reads no URLs there (https://docs.claude.com/en/docs/build-with-claude/vision).
    inlines: (url) => /^https?:/i.test(url),
    openStream: openAnthropicStream,
  },
  mistral: { encode: toMistral, decode: decodeMistralChat, openStream: openMistralStream },
  ai21: AI21_CHAT,
  openai: OPEN_CHAT,
}

/** Chat in the words of whose model it is; OpenAI's are passed on. */
export const vertexChat: Codec<'chat'> = {
  encode: (request, target) => chatOf(target).encode(request, target),
  readsThinking: (target) => chatOf(target).readsThinking?.(target) === true,
  readsBetas: (target) => chatOf(target).readsBetas?.(target) === true,
  lacksTopK: ({ model }) => vertexModel(model).words === 'mistral',
  inlines: (url, target) => chatOf(target).inlines?.(url, target) === true,
  decode: (response, target) => chatOf(target).decode(response, target),
  openStream: (target) => chatOf(target).openStream(target),
  ...(OPEN_CHAT.relay !== undefined && { relay: OPEN_CHAT.relay }),
  isRelayed: ({ model }) => vertexModel(model).words === 'openai',
}

function chatOf({ model }: Target): Chat {
  return CHATS[vertexModel(model).words]
}

/** https://docs.claude.com/en/api/claude-on-vertex-ai */
function toClaude(request: ChatRequest, target: Target): Encoded {
  const { body, dropped, betas } = toMessagesBody(request, target)
  // Tiers are Anthropic's own (https://platform.claude.com/docs/en/api/service-tiers).
  const { model: _, service_tier: __, ...words } = withMarkedEnd(body)
  const url = VERTEX.url(target, rawMethod(request))
  const wire = withBetas(postJson(url, { anthropic_version: CLAUDE_VERSION, ...words }), betas)
  return dropped.length > 0 ? { ...wire, dropped } : wire
}

/** https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/mistral, read 2026-11-27 */
function toMistral(request: ChatRequest, target: Target): Encoded {
  const { name } = vertexModel(target.model)
  const { said, dropped } = toMistralChat(request, { ...target, model: name })
  return {
    ...postJson(VERTEX.url(target, rawMethod(request)), said),
    ...(dropped.length > 0 && { dropped }),
  }
}
