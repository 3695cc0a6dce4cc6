import type { Translation } from '../request/operation.ts'
import { refuse } from '../request/request.ts'

/** Speech (https://platform.openai.com/docs/api-reference/audio/createSpeech): a text becomes sound. */
export const SPEECH_TRANSLATION: Translation<'audio_speech'> = {
  read: (body) => {
    const { input, voice } = body
    if (typeof input !== 'string' || input === '') throw refuse("'input' must be a text.", 'input')
    return { ...body, input, voice: typeof voice === 'string' ? voice : DEFAULT_VOICE }
  },
  answer: ({ bytes = NO_SOUND, contentType }) => ({ bytes, contentType }),
  isWanted: () => true,
}

/** OpenAI's first. Providers have voices of their own, and say what they make of this one. */
const DEFAULT_VOICE = 'alloy'
const NO_SOUND = new Uint8Array()
