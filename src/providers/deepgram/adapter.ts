import type { ProviderAdapter } from '../adapter.ts'
import { connectByKey, type KeySource } from '../auth/connect.ts'
import { createClassify } from '../classify.ts'
import { joinRoute } from '../route.ts'
import { deepgramBase } from './address.ts'
import { deepgramListen } from './listen.ts'
import { deepgramSpeak } from './speak.ts'

const SOURCE: KeySource = {
  base: 'https://api.deepgram.com/v1',
  baseEnv: ['DEEPGRAM_API_BASE'],
  keyEnv: ['DEEPGRAM_API_KEY'],
  header: { name: 'authorization', prefix: 'Token ' },
}

/** Deepgram: transcription and speech (https://developers.deepgram.com/reference, read 2026-11-27). */
export const deepgram: ProviderAdapter = {
  id: 'deepgram',
  codecs: {
    chat: 'unsupported',
    completion: 'unsupported',
    embedding: 'unsupported',
    image_generation: 'unsupported',
    audio_transcription: deepgramListen,
    audio_speech: deepgramSpeak,
    rerank: 'unsupported',
    batch: 'unsupported',
    moderation: 'unsupported',
  },
  // Its agents and live transcription have words of their own.
  realtime: 'unsupported',
  objects: 'unsupported',
  realtimeKeys: 'unsupported',
  connect: (deployment, env) => connectByKey(SOURCE, deployment, env),
  // https://developers.deepgram.com/docs/errors, read 2026-11-27.
  classify: createClassify([
    { statuses: [402], kind: 'quota', isKeyWide: true },
    // A project may have other models.
    { statuses: [403], text: /access to the requested model/i, kind: 'not_found' },
    { statuses: [400], text: /no such model/i, kind: 'not_found' },
  ]),
  freeUrl: (target) => joinRoute(deepgramBase(target), '/projects'),
}
