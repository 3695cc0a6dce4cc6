import type { Codec } from '../adapter.ts'
import { withDefaults } from '../body-defaults.ts'
import { chatCodec, decodeChat, TOLD_BELOW } from '../openai/chat.ts'
import { openChunkStream } from '../openai/chunk-stream.ts'
import { embeddingCodec } from '../openai/embedding.ts'
import { renamed, type Surface } from '../openai/surface.ts'
import { postJson } from '../post-json.ts'
import { CHANGES_NOTHING } from '../unsaid.ts'
import { unmarked, unmarkedTool, untold } from '../untold.ts'
import { openAiUrl, rawMethod, VERTEX } from './address.ts'
import { vertexModel } from './model-name.ts'

/** The older name of the token budget is the one that all of these models know. */
const RENAMES = { max_completion_tokens: 'max_tokens' } as const

const SURFACE: Surface = {
  url: (target, route) => openAiUrl(target, route === 'embedding' ? '/embeddings' : '/chat/completions'),
  model: ({ model }) => vertexModel(model).name,
  renames: RENAMES,
}

/** Models of other publishers, and those that somebody deployed, speak OpenAI's words. */
export const OPEN_CHAT = {
  ...chatCodec(SURFACE),
  openStream: (target) => openChunkStream(target, { choice: (choice) => choice }),
} satisfies Codec<'chat'>

/** Vectors of other publishers' models. */
export const OPEN_EMBEDDING: Codec<'embedding'> = embeddingCodec({ ...SURFACE, renames: {} })

/**
 * AI21's models: OpenAI's words at a partner's address, which says too whether the answer is a stream
 * (https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/ai21, read 2026-11-27).
 */
export const AI21_CHAT = {
  encode: (request, target) => {
    const filled = renamed(withDefaults('chat', request, target.bodyDefaults), RENAMES)
    const url = VERTEX.url(target, rawMethod(request))
    const { tools } = filled
    const body = {
      ...Object.fromEntries(Object.entries(filled).filter(([name]) => !CHANGES_NOTHING.has(name))),
      ...(Array.isArray(tools) && { tools: tools.map(unmarkedTool) }),
      messages: request.messages.map(unmarked),
      model: vertexModel(target.model).name,
    }
    return { ...postJson(url, body), dropped: untold({ ...filled, messages: request.messages }, TOLD_BELOW) }
  },
  decode: decodeChat,
  openStream: OPEN_CHAT.openStream,
} satisfies Codec<'chat'>
