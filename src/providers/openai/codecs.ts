import type { ProviderAdapter } from '../adapter.ts'
import { speechCodec } from './audio-speech.ts'
import { transcriptionCodec } from './audio-transcription.ts'
import { batchCodec } from './batch.ts'
import { chatCodec } from './chat.ts'
import { completionCodec } from './completion.ts'
import { embeddingCodec } from './embedding.ts'
import { imageCodec } from './image-generation.ts'
import { moderationCodec } from './moderation.ts'
import { rerankCodec } from './rerank.ts'
import type { Surface } from './surface.ts'

/** Every HTTP mode in OpenAI's words, at the places that a surface names. */
export function openAiCodecs(surface: Surface): ProviderAdapter['codecs'] {
  return {
    chat: chatCodec(surface),
    completion: completionCodec(surface),
    embedding: embeddingCodec(surface),
    image_generation: imageCodec(surface),
    audio_transcription: transcriptionCodec(surface),
    audio_speech: speechCodec(surface),
    rerank: rerankCodec(surface),
    batch: batchCodec(surface),
    moderation: moderationCodec(surface),
  }
}
