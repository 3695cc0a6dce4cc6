import type { HttpMode } from '../core/mode.ts'
import type { GoodAnswer } from './adapter.contract.ts'

type Answers = { readonly [M in HttpMode]?: GoodAnswer }

const HEARD = {
  text: 'Hello there.',
  whole: {
    task: 'transcribe',
    language: 'en',
    duration: 0.5,
    text: 'Hello there.',
    words: [
      { word: 'Hello', start: 0, end: 0.25 },
      { word: 'there.', start: 0.25, end: 0.5 },
    ],
    segments: [{ id: 0, start: 0, end: 0.5, text: 'Hello there.' }],
  },
} as const

const SOUND = {
  contentType: 'audio/mpeg',
  body: Buffer.from('ID3sound'),
  value: { sizeBytes: 8, contentType: 'audio/mpeg' },
} as const

/** Good answers of providers of sound and of predictions, written from their own pages, read 2026-11-27. */
export const OWN_ANSWERS: Readonly<Record<string, Answers>> = {
  deepgram: {
    audio_transcription: {
      source: 'https://developers.deepgram.com/reference/speech-to-text/listen-pre-recorded',
      body: {
        metadata: { request_id: 'r1', duration: 0.5, channels: 1 },
        results: {
          channels: [
            {
              detected_language: 'en',
              alternatives: [
                {
                  transcript: 'Hello there.',
                  confidence: 0.99,
                  words: [
                    { word: 'hello', punctuated_word: 'Hello', start: 0, end: 0.25, confidence: 0.9 },
                    { word: 'there', punctuated_word: 'there.', start: 0.25, end: 0.5, confidence: 0.9 },
                  ],
                },
              ],
            },
          ],
        },
      },
      value: HEARD,
    },
    audio_speech: {
      source: 'https://developers.deepgram.com/reference/text-to-speech/speak-request',
      ...SOUND,
    },
  },
  elevenlabs: {
    audio_transcription: {
      source: 'https://elevenlabs.io/docs/api-reference/speech-to-text/convert',
      body: {
        language_code: 'en',
        language_probability: 0.9,
        text: 'Hello there.',
        words: [
          { text: 'Hello', start: 0, end: 0.25, type: 'word' },
          { text: ' ', start: 0.25, end: 0.25, type: 'spacing' },
          { text: 'there.', start: 0.25, end: 0.5, type: 'word' },
          { text: '(laughs)', start: 0.5, end: 0.9, type: 'audio_event' },
        ],
      },
      value: HEARD,
    },
    audio_speech: { source: 'https://elevenlabs.io/docs/api-reference/text-to-speech/convert', ...SOUND },
  },
  mistral: {
    audio_speech: {
      source: 'https://docs.mistral.ai/studio/audio/text-to-speech/generate-speech',
      body: { audio_data: Buffer.from('ID3sound').toString('base64') },
      value: { ...SOUND.value, bytes: Buffer.from('ID3sound') },
    },
  },
  assemblyai: {
    audio_transcription: {
      source: 'https://github.com/AssemblyAI/assemblyai-api-spec, Transcript',
      body: {
        id: 't1',
        status: 'completed',
        text: 'Hello there.',
        language_code: 'en',
        audio_duration: 0.5,
        error: null,
        words: [
          { text: 'Hello', start: 0, end: 250, confidence: 0.9 },
          { text: 'there.', start: 250, end: 500, confidence: 0.9 },
        ],
      },
      value: HEARD,
    },
  },
  replicate: {
    chat: {
      source: 'https://replicate.com/meta/meta-llama-3.1-405b-instruct/examples',
      body: {
        id: 'zjq6szssxdrm20cgw0fsntgvbg',
        status: 'succeeded',
        error: null,
        created_at: '2024-07-23T15:04:21.227000Z',
        output: ['po', 'ng'],
        metrics: { input_token_count: 26, output_token_count: 84, predict_time: 2.8 },
      },
      value: {
        id: 'zjq6szssxdrm20cgw0fsntgvbg',
        object: 'chat.completion',
        created: 1_721_747_061,
        model: 'the-model',
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: 'pong', refusal: null },
            logprobs: null,
            finish_reason: 'stop',
          },
        ],
        usage: { prompt_tokens: 26, completion_tokens: 84, total_tokens: 110 },
      },
    },
  },
}
