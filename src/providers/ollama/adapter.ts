import type { ProviderAdapter } from '../adapter.ts'
import { connectByKey, type KeySource } from '../auth/connect.ts'
import { createClassify } from '../classify.ts'
import { ollamaUrl } from './address.ts'
import { ollamaChat } from './chat.ts'
import { ollamaEmbed } from './embed.ts'
import { ollamaGenerate } from './generate.ts'
import { LOADED } from './loaded.ts'
import { provesPulled } from './pulled.ts'

const SOURCE: KeySource = {
  base: 'http://localhost:11434',
  baseEnv: ['OLLAMA_API_BASE'],
  keyEnv: ['OLLAMA_API_KEY'],
  keyless: 'none',
}

/** Ollama in its own words: chat, completions and embeddings. */
export const ollama: ProviderAdapter = {
  id: 'ollama',
  codecs: {
    chat: ollamaChat,
    completion: ollamaGenerate,
    embedding: ollamaEmbed,
    image_generation: 'unsupported',
    audio_transcription: 'unsupported',
    audio_speech: 'unsupported',
    rerank: 'unsupported',
    batch: 'unsupported',
    moderation: 'unsupported',
  },
  realtime: 'unsupported',
  objects: 'unsupported',
  realtimeKeys: 'unsupported',
  connect: (deployment, env) => connectByKey(SOURCE, deployment, env),
  classify: createClassify([
    { statuses: [500], text: /more system memory .* than is available|out of memory/i, kind: 'overloaded' },
    { statuses: [500], text: /timed out waiting for/i, kind: 'timeout' },
  ]),
  freeUrl: (target) => ollamaUrl(target, 'tags'),
  freeProof: provesPulled,
  residence: LOADED,
  oneAtATime: true,
  isSelfHosted: true,
}

/** LiteLLM's other name for Ollama's chat. */
export const ollamaChatProvider: ProviderAdapter = { ...ollama, id: 'ollama_chat' }
