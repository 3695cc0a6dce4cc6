import type { ProviderAdapter } from '../adapter.ts'
import { connectByKey, type KeySource } from '../auth/connect.ts'
import { createClassify } from '../classify.ts'
import { replicateChat } from './chat.ts'
import { replicateBase } from './address.ts'

const SOURCE: KeySource = {
  base: 'https://api.replicate.com/v1',
  baseEnv: ['REPLICATE_API_BASE'],
  keyEnv: ['REPLICATE_API_KEY', 'REPLICATE_API_TOKEN'],
}

/** Replicate: language models as predictions (https://replicate.com/docs/reference/http, read 2026-11-27). */
export const replicate: ProviderAdapter = {
  id: 'replicate',
  codecs: {
    chat: replicateChat,
    completion: 'unsupported',
    embedding: 'unsupported',
    // Every model has inputs and outputs of its own.
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
  classify: createClassify([{ statuses: [402], kind: 'quota', isKeyWide: true }]),
  cheapChatModel: 'meta/meta-llama-3-8b-instruct',
  freeUrl: (target) => `${replicateBase(target)}/account`,
}
