import type { ProviderAdapter } from '../adapter.ts'
import { connectByKey, type KeySource } from '../auth/connect.ts'
import { createClassify } from '../classify.ts'
import { jinaEmbedding } from './embedding.ts'
import { jinaRerank } from './rerank.ts'

const SOURCE: KeySource = {
  base: 'https://api.jina.ai/v1',
  baseEnv: ['JINA_AI_API_BASE'],
  keyEnv: ['JINA_AI_API_KEY', 'JINA_AI_TOKEN', 'JINA_API_KEY'],
}

/** Jina: embeddings and rerank. It documents nothing that is free. */
export const jinaAi: ProviderAdapter = {
  id: 'jina_ai',
  codecs: {
    chat: 'unsupported',
    completion: 'unsupported',
    embedding: jinaEmbedding,
    image_generation: 'unsupported',
    audio_transcription: 'unsupported',
    audio_speech: 'unsupported',
    rerank: jinaRerank,
    batch: 'unsupported',
    moderation: 'unsupported',
  },
  realtime: 'unsupported',
  objects: 'unsupported',
  realtimeKeys: 'unsupported',
  connect: (deployment, env) => connectByKey(SOURCE, deployment, env),
  classify: createClassify(),
}
