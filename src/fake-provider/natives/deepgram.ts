import { jsonReply, type Reply } from '../reply.ts'
import { misplacedCredential, nameSet, unknownName } from './misplaced.ts'
import type { Native, NativeCall } from './native.ts'

/** Deepgram's words, after https://github.com/deepgram/deepgram-api-specs and its page of errors (read 2026-11-27). */
export const deepgram: Native = {
  id: 'deepgram',
  answer: (call) => unauthorized(call) ?? routed(call),
  error: (status, message, headers) => failure(status, CODES[status] ?? 'Error', message, headers),
}

const CODES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'INVALID_AUTH',
  402: 'ASR_PAYMENT_REQUIRED',
  403: 'INSUFFICIENT_PERMISSIONS',
  429: 'TOO_MANY_REQUESTS',
}
const REQUEST_ID = '1b5a7a6e-0000-4000-8000-000000000000'

function failure(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return jsonReply(status, { err_code: code, err_msg: message, request_id: REQUEST_ID }, headers)
}

function unauthorized(call: NativeCall): Reply | undefined {
  const key = /^Token (\S+)$/.exec(call.headers.authorization ?? '')?.[1]
  const isKnown = key !== undefined && (call.keys === undefined || call.keys.has(key))
  if (isKnown && misplacedCredential(call, 'authorization') === undefined) return undefined
  return failure(401, 'INVALID_AUTH', 'Invalid credentials.')
}

function routed(call: NativeCall): Reply {
  const path = call.path.replace(/^\/v1/, '')
  if (call.method === 'GET' && path === '/projects')
    return jsonReply(200, { projects: [{ project_id: REQUEST_ID, name: 'fake' }] })
  if (call.method === 'POST' && path === '/listen') return listen(call)
  if (call.method === 'POST' && path === '/speak') return speak(call)
  return failure(404, 'Not Found', `no such route: ${call.method} ${call.path}`)
}

const LISTEN_NAMES = nameSet(
  `callback callback_method custom_intent custom_intent_mode custom_topic custom_topic_mode detect_entities
  detect_language diarize diarize_model dictation encoding extra filler_words intents keyterm keywords language
  measurements mip_opt_out model multichannel numerals paragraphs profanity_filter punctuate redact replace search
  sentiment smart_format summarize tag topics utt_split utterances version`,
)

function listen({ query, headers, body }: NativeCall): Reply {
  const unknown = unknownName(query.keys(), LISTEN_NAMES)
  if (unknown !== undefined) return failure(400, 'Bad Request', `Bad Request: unknown parameter ${unknown}`)
  const model = query.get('model')
  if (model === null || !/^(?:nova|whisper|base|enhanced|general|flux)/.test(model))
    return failure(400, 'Bad Request', 'Bad Request: No such model/language/tier combination found.')
  if (
    !/^(?:audio|video)\/|^application\/octet-stream/.test(headers['content-type'] ?? '') ||
    body.length === 0
  )
    return failure(400, 'Bad Request', 'Bad Request: failed to process audio: corrupt or unsupported data')
  const words = [
    { word: 'hello', punctuated_word: 'Hello', start: 0, end: 0.25, confidence: 0.99 },
    { word: 'there', punctuated_word: 'there.', start: 0.25, end: 0.5, confidence: 0.98 },
  ]
  const alternatives = [{ transcript: 'Hello there.', confidence: 0.99, words }]
  return jsonReply(200, {
    metadata: { request_id: REQUEST_ID, duration: 0.5, channels: 1, models: [model] },
    results: {
      channels: [{ ...(query.has('detect_language') && { detected_language: 'en' }), alternatives }],
    },
  })
}

const SPEAK_NAMES = nameSet(
  'bit_rate callback callback_method container encoding mip_opt_out model sample_rate speed tag',
)
const TYPES: Readonly<Record<string, string>> = {
  mp3: 'audio/mpeg',
  opus: 'audio/ogg;codecs=opus',
  aac: 'audio/aac',
  flac: 'audio/flac',
  linear16: 'audio/l16;rate=24000;channels=1',
  mulaw: 'audio/mulaw',
  alaw: 'audio/alaw',
}

function speak({ query, json }: NativeCall): Reply {
  const unknown = unknownName(query.keys(), SPEAK_NAMES)
  if (unknown !== undefined) return failure(400, 'Bad Request', `Bad Request: unknown parameter ${unknown}`)
  if (!/^aura(?:-2)?-[a-z]+-[a-z]{2}$/.test(query.get('model') ?? ''))
    return failure(400, 'Bad Request', 'Bad Request: No such model/language/tier combination found.')
  const type = TYPES[query.get('encoding') ?? 'mp3']
  if (type === undefined) return failure(400, 'UNSUPPORTED_AUDIO_FORMAT', 'Unsupported audio format.')
  const body = json ?? {}
  const extra = unknownName(Object.keys(body), new Set(['text']))
  if (typeof body['text'] !== 'string' || body['text'] === '' || extra !== undefined) {
    return jsonReply(400, {
      category: 'INVALID_JSON',
      message: 'Invalid JSON submitted.',
      details: extra === undefined ? 'missing field `text`' : `unknown field \`${extra}\``,
      request_id: REQUEST_ID,
    })
  }
  const headers = { 'content-type': type, 'dg-request-id': REQUEST_ID }
  return { status: 200, headers, chunks: [Buffer.from('ID3 spoken '), Buffer.from('in two pieces')] }
}
