import type { ProviderAdapter } from '../adapter.ts'
import { connectByKey, type KeySource } from '../auth/connect.ts'
import { geminiChat } from './chat.ts'
import { geminiCount } from './count.ts'
import { geminiEmbed } from './embed.ts'
import { geminiImage } from './image.ts'
import { liveFace } from './live/face.ts'
import { geminiPassThrough } from './pass-through.ts'
import { classifyGoogle } from './refusals.ts'
import { geminiSpeech } from './speech.ts'
import { AI_STUDIO, splitVersion, versionedBase } from './surface.ts'
import { googleSurfaces } from './surfaces.ts'

const SOURCE: KeySource = {
  base: 'https://generativelanguage.googleapis.com/v1beta',
  baseEnv: ['GEMINI_API_BASE'],
  // The order of Google's own clients.
  keyEnv: ['GOOGLE_API_KEY', 'GEMINI_API_KEY'],
  // Never `?key=`: addresses stand in logs.
  header: { name: 'x-goog-api-key', prefix: '' },
}

/** Google AI Studio: Gemini, Imagen and their kin in Google's own words (https://ai.google.dev/api). */
export const gemini: ProviderAdapter = {
  id: 'gemini',
  codecs: {
    chat: geminiChat(AI_STUDIO),
    completion: 'unsupported',
    embedding: geminiEmbed,
    image_generation: geminiImage(AI_STUDIO),
    // A chat that is asked to write down what it hears is no transcription: it has no times, and may answer instead.
    audio_transcription: 'unsupported',
    audio_speech: geminiSpeech(AI_STUDIO),
    rerank: 'unsupported',
    batch: 'unsupported',
    moderation: 'unsupported',
  },
  realtime: liveFace((target) => {
    const { root, version } = splitVersion(target.base)
    const served = version === 'v1' ? 'v1beta' : version
    return `${root}/ws/google.ai.generativelanguage.${served}.GenerativeService.BidiGenerateContent`
  }, AI_STUDIO.name),
  // Its Files API keeps what prompts refer to, its batches are of another form.
  objects: 'unsupported',
  realtimeKeys: 'unsupported',
  surfaces: googleSurfaces(AI_STUDIO),
  passThrough: geminiPassThrough,
  tokenCount: geminiCount,
  connect: (deployment, env) => {
    const connected = connectByKey(SOURCE, deployment, env)
    if ('message' in connected) return connected
    const { target } = connected
    return { ...connected, target: { ...target, base: versionedBase(target.base) } }
  },
  classify: classifyGoogle,
  cheapChatModel: 'gemini-flash-lite-latest',
  freeUrl: (target) => `${target.base}/models?pageSize=1`,
}
