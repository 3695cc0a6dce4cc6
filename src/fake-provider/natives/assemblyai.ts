import { plain } from './compatible-law.ts'
import { compatibleNative } from './compatible.ts'
import { jsonReply, type Reply } from '../reply.ts'
import { misplacedCredential, nameSet, unknownName } from './misplaced.ts'
import type { Native, NativeCall } from './native.ts'

/** AssemblyAI's words, after https://github.com/AssemblyAI/assemblyai-api-spec, of 2026-03-23. */
export const assemblyAi: Native = {
  id: 'assemblyai',
  answer: (call) =>
    call.path.startsWith('/v1/') ? GATEWAY.answer(call) : (unauthorized(call) ?? routed(call)),
  error: (status, message, headers) => failure(status, message, headers),
}

/** Its gateway to language models lives elsewhere, and speaks OpenAI's words. */
const GATEWAY = compatibleNative(
  plain(
    'assemblyai',
    'llm-gateway.assemblyai.com/v1',
    'https://www.assemblyai.com/docs/llm-gateway/overview',
    { serves: [] },
  ),
)

function failure(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return jsonReply(status, { error: message }, headers)
}

function unauthorized(call: NativeCall): Reply | undefined {
  const key = call.headers.authorization ?? ''
  const isForm = /^\S+$/.test(key) && misplacedCredential(call, 'authorization') === undefined
  if (isForm && (call.keys === undefined || call.keys.has(key))) return undefined
  return failure(401, 'Authentication error, API token missing/invalid')
}

function routed(call: NativeCall): Reply {
  const { method, path, query } = call
  if (method === 'POST' && path === '/v2/upload') return upload(call)
  if (method === 'POST' && path === '/v2/transcript') return order(call)
  if (method === 'GET' && path === '/v2/transcript')
    return query.get('limit') === null
      ? failure(400, 'limit must be an integer')
      : jsonReply(200, { page_details: { limit: 1, result_count: 0 }, transcripts: [] })
  const id = /^\/v2\/transcript\/([\w-]+)$/.exec(path)?.[1]
  if (method === 'GET' && id !== undefined) return transcript(id)
  return failure(404, 'Not found')
}

/** What the sound is is known again by its upload's address: nothing is kept between two requests. */
function upload({ headers, body }: NativeCall): Reply {
  if (headers['content-type'] !== 'application/octet-stream' || body.length === 0)
    return failure(422, 'Invalid request body')
  const kind = body.subarray(0, 4).toString('latin1') === 'RIFF' ? 'sound' : 'noise'
  return jsonReply(200, { upload_url: `https://cdn.assemblyai.com/upload/${kind}-${body.length}` })
}

const NAMES = nameSet(
  `audio_end_at audio_start_from audio_url auto_chapters auto_highlights content_safety content_safety_confidence
  custom_spelling disfluencies entity_detection filter_profanity format_text iab_categories keyterms_prompt language_code
  language_codes language_confidence_threshold language_detection language_detection_options multichannel prompt
  punctuate redact_pii redact_pii_audio redact_pii_policies redact_pii_sub remove_audio_tags sentiment_analysis
  speaker_labels speaker_options speakers_expected speech_models speech_threshold speech_understanding summarization
  summary_model summary_type temperature webhook_auth_header_name webhook_auth_header_value webhook_url`,
)
const MODEL = /^(?:universal-|assemblyai-stt-|slam-)/
/** How long a transcript takes. */
const WORK_MS = 200

function order({ json = {} }: NativeCall): Reply {
  const unknown = unknownName(Object.keys(json), NAMES)
  if (unknown !== undefined) return failure(400, `Invalid endpoint schema, unknown field: ${unknown}`)
  const { audio_url: url, speech_models: models, language_detection: hears } = json
  if (typeof url !== 'string' || !url.startsWith('https://cdn.assemblyai.com/upload/'))
    return failure(400, 'audio_url must be a URL')
  const isKnown =
    Array.isArray(models) && models.every((each) => typeof each === 'string' && MODEL.test(each))
  if (!isKnown) return failure(400, 'Invalid value for "speech_models"')
  if (hears !== undefined && typeof hears !== 'boolean')
    return failure(400, 'language_detection must be a Boolean')
  const kind = url.includes('/noise-') ? 'noise' : 'sound'
  return jsonReply(200, {
    id: `${kind}-${Date.now() + WORK_MS}`,
    status: 'queued',
    audio_url: url,
    text: null,
  })
}

function transcript(id: string): Reply {
  const [, kind = '', readyMs = ''] = /^(sound|noise)-(\d+)$/.exec(id) ?? []
  if (kind === '') return failure(404, 'Transcript lookup error, transcript id not found')
  if (Date.now() < Number(readyMs)) return jsonReply(200, { id, status: 'processing', text: null })
  if (kind === 'noise') {
    const error =
      'Transcoding failed. File does not appear to contain audio. File type is text/plain (ASCII text).'
    return jsonReply(200, { id, status: 'error', text: null, error })
  }
  return jsonReply(200, {
    id,
    status: 'completed',
    text: 'Hello there.',
    language_code: 'en',
    audio_duration: 1,
    words: [
      { text: 'Hello', start: 0, end: 250, confidence: 0.99 },
      { text: 'there.', start: 250, end: 500, confidence: 0.98 },
    ],
    error: null,
  })
}
