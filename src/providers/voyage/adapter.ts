import type { ProviderAdapter } from '../adapter.ts'
import { connectByKey, type KeySource } from '../auth/connect.ts'
import { findKey } from '../auth/key.ts'
import { createClassify } from '../classify.ts'
import { voyageEmbedding } from './embedding.ts'
import { voyageRerank } from './rerank.ts'

const SOURCE: KeySource = {
  base: 'https://api.voyageai.com/v1',
  baseEnv: ['VOYAGE_API_BASE'],
  keyEnv: ['VOYAGE_API_KEY', 'VOYAGE_AI_API_KEY', 'VOYAGE_AI_TOKEN'],
}

/** Keys that MongoDB gives out are good at its own address (https://www.mongodb.com/docs/voyageai/management/api-keys). */
const ATLAS_KEY = /^al-/
const ATLAS_BASE = 'https://ai.mongodb.com/v1'

/** Voyage: embeddings and rerank. It has no list of models, nor anything else that is free. */
export const voyage: ProviderAdapter = {
  id: 'voyage',
  codecs: {
    chat: 'unsupported',
    completion: 'unsupported',
    embedding: voyageEmbedding,
    image_generation: 'unsupported',
    audio_transcription: 'unsupported',
    audio_speech: 'unsupported',
    rerank: voyageRerank,
    batch: 'unsupported',
    moderation: 'unsupported',
  },
  realtime: 'unsupported',
  objects: 'unsupported',
  realtimeKeys: 'unsupported',
  connect: (deployment, env) => {
    const key = findKey(deployment, env, SOURCE.keyEnv)
    const isAtlas = key !== undefined && ATLAS_KEY.test(key.reveal())
    return connectByKey(isAtlas ? { ...SOURCE, base: ATLAS_BASE } : SOURCE, deployment, env)
  },
  classify: createClassify(),
}
