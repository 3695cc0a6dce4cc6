import type { ProviderAdapter } from '../adapter.ts'
import { connectByKey, type KeySource } from '../auth/connect.ts'
import { createClassify } from '../classify.ts'
import { cohereModelsUrl } from './address.ts'
import { cohereChat } from './chat.ts'
import { cohereEmbed } from './embed.ts'
import { cohereRerank } from './rerank.ts'

const SOURCE: KeySource = {
  base: 'https://api.cohere.com',
  baseEnv: ['COHERE_API_BASE'],
  keyEnv: ['COHERE_API_KEY', 'CO_API_KEY'],
}

/** Cohere: chat, embed and rerank in its own words. */
export const cohere: ProviderAdapter = {
  id: 'cohere',
  codecs: {
    chat: cohereChat,
    completion: 'unsupported',
    embedding: cohereEmbed,
    image_generation: 'unsupported',
    audio_transcription: 'unsupported',
    audio_speech: 'unsupported',
    rerank: cohereRerank,
    batch: 'unsupported',
    moderation: 'unsupported',
  },
  realtime: 'unsupported',
  // It has data sets and jobs of another form.
  objects: 'unsupported',
  realtimeKeys: 'unsupported',
  connect: (deployment, env) => connectByKey(SOURCE, deployment, env),
  classify: createClassify([
    // A trial key is told so with 429; used up for the month it stays used up.
    { statuses: [429], text: /trial key.*\/ month/i, kind: 'quota' },
    { statuses: [400], text: /blocked by (our )?content|blocked output/i, kind: 'content_policy' },
  ]),
  cheapChatModel: 'command-r7b-12-2024',
  // https://docs.cohere.com/reference/list-models: the first version's path serves both.
  freeUrl: cohereModelsUrl,
}

/** LiteLLM's name for Cohere's chat models. */
export const cohereChatProvider: ProviderAdapter = { ...cohere, id: 'cohere_chat' }
