import type { HttpMode, SIDE_ROUTES, SideRoute } from '../../core/mode.ts'
import type { Operation } from './operation.ts'
import { CHAT_TRANSLATION } from '../translate/chat.ts'
import { COMPLETION_TRANSLATION } from '../translate/completion.ts'
import { EMBEDDING_TRANSLATION } from '../translate/embedding.ts'
import { IMAGE_TRANSLATION } from '../translate/image.ts'
import { RERANK_TRANSLATION } from '../translate/rerank.ts'
import { SPEECH_TRANSLATION } from '../translate/speech.ts'
import {
  COUNT_CONTENT,
  COUNT_TOKENS,
  GENERATE_CONTENT,
  MESSAGES,
  RESPONSES,
  STREAM_GENERATE_CONTENT,
} from '../surfaces/surfaces.ts'
import { TRANSCRIPTION_TRANSLATION } from '../translate/transcription.ts'

/** Every operation. To add one, add a row, its relay faces and its paths in the gateway. */
export const OPERATIONS = {
  chat: {
    mode: 'chat',
    route: '/chat/completions',
    required: [{ name: 'messages', isArray: true }],
    streams: true,
    answer: { kind: 'object', proof: 'choices', saysEnd: true },
    translation: CHAT_TRANSLATION,
  },
  completion: {
    mode: 'completion',
    route: '/completions',
    required: [{ name: 'prompt' }],
    streams: true,
    answer: { kind: 'object', proof: 'choices', saysEnd: true },
    translation: COMPLETION_TRANSLATION,
  },
  embedding: {
    mode: 'embedding',
    route: '/embeddings',
    required: [{ name: 'input' }],
    streams: false,
    answer: { kind: 'object', proof: 'data' },
    translation: EMBEDDING_TRANSLATION,
  },
  image_generation: {
    mode: 'image_generation',
    route: '/image/generations',
    required: [{ name: 'prompt' }],
    streams: true,
    answer: { kind: 'object', proof: 'data' },
    isCostly: true,
    translation: IMAGE_TRANSLATION,
  },
  image_edit: {
    mode: 'image_generation',
    side: 'image_edit',
    accepts: 'either',
    route: '/images/edits',
    // A form has the images in it, JSON names them.
    required: [{ name: 'image', or: 'images' }, { name: 'prompt' }],
    streams: true,
    answer: { kind: 'object', proof: 'data' },
    isCostly: true,
  },
  audio_transcription: {
    mode: 'audio_transcription',
    accepts: 'form',
    route: '/audio/transcriptions',
    required: [{ name: 'file' }],
    streams: true,
    answer: { kind: 'transcript', proof: 'text' },
    translation: TRANSCRIPTION_TRANSLATION,
  },
  audio_translation: {
    mode: 'audio_transcription',
    side: 'audio_translation',
    accepts: 'form',
    route: '/audio/translations',
    required: [{ name: 'file' }],
    streams: false,
    answer: { kind: 'transcript', proof: 'text' },
  },
  audio_speech: {
    mode: 'audio_speech',
    route: '/audio/speech',
    required: [{ name: 'input' }],
    streams: false,
    answer: { kind: 'sound' },
    translation: SPEECH_TRANSLATION,
  },
  rerank: {
    mode: 'rerank',
    route: '/rerank',
    required: [{ name: 'query' }, { name: 'documents', isArray: true }],
    streams: false,
    answer: { kind: 'object', proof: 'results' },
    translation: RERANK_TRANSLATION,
  },
  moderation: {
    mode: 'moderation',
    route: '/moderations',
    required: [{ name: 'input' }],
    streams: false,
    answer: { kind: 'object', proof: 'results' },
  },
} as const satisfies { readonly [M in HttpMode]?: Operation<M> } & {
  readonly [S in SideRoute]?: Operation<(typeof SIDE_ROUTES)[S]>
}

/** Chat in other APIs' words. */
export const SURFACE_OPERATIONS = {
  messages: {
    mode: 'chat',
    surface: MESSAGES,
    route: '/v1/messages',
    required: [{ name: 'messages', isArray: true }],
    streams: true,
    answer: {
      kind: 'object',
      proof: 'content',
      isLoose: true,
      saysEnd: true,
      ...(MESSAGES.stream && { signs: MESSAGES.stream }),
    },
  },
  countTokens: {
    mode: 'chat',
    surface: COUNT_TOKENS,
    route: '/v1/messages/count_tokens',
    required: [{ name: 'messages', isArray: true }],
    streams: false,
    answer: { kind: 'object', proof: 'input_tokens', isLoose: true },
  },
  responses: {
    mode: 'chat',
    surface: RESPONSES,
    route: '/v1/responses',
    // A prompt that OpenAI keeps, or a conversation, may be all of it.
    required: [],
    streams: true,
    answer: {
      kind: 'object',
      proof: 'output',
      isLoose: true,
      saysEnd: true,
      ...(RESPONSES.stream && { signs: RESPONSES.stream }),
    },
  },
  generateContent: {
    mode: 'chat',
    surface: GENERATE_CONTENT,
    route: '/v1beta/models/{model}:generateContent',
    required: [{ name: 'contents', isArray: true }],
    streams: false,
    answer: { kind: 'object', proof: 'candidates', orProof: 'promptFeedback', isLoose: true },
  },
  countContent: {
    mode: 'chat',
    surface: COUNT_CONTENT,
    route: '/v1beta/models/{model}:countTokens',
    required: [{ name: 'contents', or: 'generateContentRequest' }],
    streams: false,
    answer: { kind: 'object', proof: 'totalTokens', isLoose: true },
  },
  streamGenerateContent: {
    mode: 'chat',
    surface: STREAM_GENERATE_CONTENT,
    route: '/v1beta/models/{model}:streamGenerateContent',
    required: [{ name: 'contents', isArray: true }],
    streams: 'always',
    answer: {
      kind: 'object',
      proof: 'candidates',
      orProof: 'promptFeedback',
      isLoose: true,
      saysEnd: true,
      ...(STREAM_GENERATE_CONTENT.stream && { signs: STREAM_GENERATE_CONTENT.stream }),
    },
  },
} as const satisfies Readonly<Record<string, Operation<'chat'>>>
