import type { ProviderAdapter } from '../adapter.ts'
import { CLOUD_REFUSES } from '../anthropic/cloud-surface.ts'
import { geminiImage } from '../gemini/image.ts'
import { liveFace } from '../gemini/live/face.ts'
import { classifyGoogle } from '../gemini/refusals.ts'
import { geminiSpeech } from '../gemini/speech.ts'
import { OPENAI_EXTRAS } from '../unsaid.ts'
import { liveUrl, VERTEX } from './address.ts'
import { vertexChat } from './chat.ts'
import { vertexCompletion } from './completion.ts'
import { connectVertex, readsVertexName } from './connect.ts'
import { vertexCount } from './count.ts'
import { vertexEmbed } from './embed.ts'
import { isOpenModel } from './model-name.ts'
import { vertexPassThrough } from './pass-through.ts'
import { vertexSurfaces } from './surfaces.ts'

/** Vertex AI: Google's models, Claude, and those of other publishers, called with the credentials of a Google Cloud project. */
export const vertexAi: ProviderAdapter = {
  id: 'vertex_ai',
  codecs: {
    chat: vertexChat,
    completion: vertexCompletion,
    embedding: vertexEmbed,
    image_generation: geminiImage(VERTEX),
    audio_transcription: 'unsupported',
    audio_speech: geminiSpeech(VERTEX),
    rerank: 'unsupported',
    batch: 'unsupported',
    moderation: 'unsupported',
  },
  realtime: liveFace(liveUrl, VERTEX.name, { takesSystemTurns: true }),
  objects: 'unsupported',
  realtimeKeys: 'unsupported',
  surfaces: vertexSurfaces,
  passThrough: vertexPassThrough,
  tokenCount: vertexCount,
  connect: connectVertex,
  readsName: readsVertexName,
  // Not among what the shared endpoint of open models documents
  // (https://docs.cloud.google.com/vertex-ai/generative-ai/docs/multimodal/call-vertex-using-openai-library).
  refuses: [
    ...CLOUD_REFUSES,
    {
      fields: [...OPENAI_EXTRAS.filter((name) => name !== 'user'), 'parallel_tool_calls', 'thinking'],
      of: isOpenModel,
      models: 'open models',
    },
  ],
  classify: classifyGoogle,
  auth: '`authorization: Bearer …`, a token that `vertex_credentials` fetch; an `api_key` as `x-goog-api-key: …`',
  cheapChatModel: 'gemini-2.5-flash-lite',
  // Nothing there is free, shows that the key is taken and needs no permission of its own.
}

/** The same in the next version of the API. */
export const vertexAiBeta: ProviderAdapter = { ...vertexAi, id: 'vertex_ai_beta' }
