import type { ProviderAdapter } from '../adapter.ts'
import { connectByKey, type KeySource } from '../auth/connect.ts'
import { createClassify } from '../classify.ts'
import { elevenLabsUrl } from './address.ts'
import { elevenLabsSpeech } from './speech.ts'
import { elevenLabsTranscription } from './transcription.ts'

const SOURCE: KeySource = {
  base: 'https://api.elevenlabs.io',
  baseEnv: ['ELEVENLABS_API_BASE'],
  keyEnv: ['ELEVENLABS_API_KEY'],
  header: { name: 'xi-api-key', prefix: '' },
}

/** ElevenLabs: transcription and speech (https://elevenlabs.io/docs/api-reference, read 2026-11-27). */
export const elevenLabs: ProviderAdapter = {
  id: 'elevenlabs',
  codecs: {
    chat: 'unsupported',
    completion: 'unsupported',
    embedding: 'unsupported',
    image_generation: 'unsupported',
    audio_transcription: elevenLabsTranscription,
    audio_speech: elevenLabsSpeech,
    rerank: 'unsupported',
    batch: 'unsupported',
    moderation: 'unsupported',
  },
  // Its agents have words of their own.
  realtime: 'unsupported',
  objects: 'unsupported',
  realtimeKeys: 'unsupported',
  connect: (deployment, env) => connectByKey(SOURCE, deployment, env),
  // https://help.elevenlabs.io/hc/en-us/articles/19572237925521 and …/19571824571921, read 2026-11-27.
  classify: createClassify([
    { code: /^quota_exceeded$/, kind: 'quota', isKeyWide: true },
    { statuses: [429], code: /^system_busy$/, kind: 'overloaded' },
    { statuses: [429], code: /^too_many_concurrent_requests$/, kind: 'rate_limited', isKeyWide: true },
    // The client names the voice and the format: neither says anything of the deployment.
    {
      statuses: [400, 403, 404, 422],
      code: /^(voice_not_found|invalid_voice_id|output_format_not_allowed|max_character_limit_exceeded)$/,
      kind: 'bad_request',
    },
    { statuses: [400, 404], code: /^(model_not_found|invalid_model_id)$/, kind: 'not_found' },
  ]),
  freeUrl: (target) => elevenLabsUrl(target, '/models'),
}
