import type { JsonObject } from '../../core/json.ts'
import { isJsonObject } from '../../core/json.ts'
import { formField } from '../multipart.ts'
import { jsonReply, type Reply } from '../reply.ts'
import { misplacedCredential, nameSet, unknownName } from './misplaced.ts'
import type { Native, NativeCall } from './native.ts'

/** ElevenLabs' words, after https://elevenlabs.io/docs/api-reference (read 2026-11-27). */
export const elevenLabs: Native = {
  id: 'elevenlabs',
  answer: (call) => unauthorized(call) ?? routed(call),
  error: (status, message, headers) => failure(status, CODES[status] ?? 'error', message, headers),
}

const CODES: Readonly<Record<number, string>> = {
  401: 'invalid_api_key',
  402: 'quota_exceeded',
  429: 'too_many_concurrent_requests',
}

function failure(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return jsonReply(status, { detail: { status: code, message } }, headers)
}

function unauthorized(call: NativeCall): Reply | undefined {
  const key = call.headers['xi-api-key']
  if (typeof key !== 'string' || key === '' || misplacedCredential(call, 'xi-api-key') !== undefined)
    return failure(401, 'needs_authorization', 'Neither authorization header nor xi-api-key received.')
  if (call.keys === undefined || call.keys.has(key)) return undefined
  return failure(401, 'invalid_api_key', 'Invalid API key')
}

function routed(call: NativeCall): Reply {
  const { method, path } = call
  if (method === 'GET' && path === '/v1/models')
    return jsonReply200([{ model_id: 'eleven_multilingual_v2', name: 'Eleven Multilingual v2' }])
  if (method === 'POST' && path === '/v1/speech-to-text') return transcription(call)
  const voice = /^\/v1\/text-to-speech\/([^/]+)$/.exec(path)?.[1]
  if (method === 'POST' && voice !== undefined) return speech(call, voice)
  return jsonReply(404, { detail: 'Not Found' })
}

/** A list, which `jsonReply` is not made for. */
function jsonReply200(list: readonly JsonObject[]): Reply {
  return { status: 200, headers: { 'content-type': 'application/json' }, chunks: [JSON.stringify(list)] }
}

const FORM_NAMES = nameSet(
  `additional_formats cloud_storage_url diarization_threshold diarize entity_detection file file_format keyterms
  language_code model_id no_verbatim num_speakers seed source_url tag_audio_events temperature timestamps_granularity
  use_multi_channel webhook webhook_id webhook_metadata`,
)

function transcription({ form, query }: NativeCall): Reply {
  if (form === undefined || query.size > 0) return invalid('body', 'file', 'Field required')
  const unknown = unknownName(
    form.parts.map(({ name }) => name),
    FORM_NAMES,
  )
  if (unknown !== undefined) return invalid('body', unknown, 'Extra inputs are not permitted')
  const model = formField(form, 'model_id')
  if (model === undefined) return invalid('body', 'model_id', 'Field required')
  if (!/^scribe_v\d/.test(model))
    return failure(400, 'invalid_model_id', `'${model}' is not a valid model_id.`)
  const file = form.parts.find(({ name }) => name === 'file')
  if (file === undefined || file.bytes.length === 0) return failure(400, 'empty_file', 'The file is empty.')
  return jsonReply(200, {
    language_code: 'eng',
    language_probability: 0.98,
    text: 'Hello there.',
    words: [
      { text: 'Hello', start: 0, end: 0.25, type: 'word', logprob: -0.1 },
      { text: ' ', start: 0.25, end: 0.25, type: 'spacing', logprob: 0 },
      { text: 'there.', start: 0.25, end: 0.5, type: 'word', logprob: -0.1 },
    ],
    transcription_id: 'tr1',
    audio_duration_secs: 0.5,
  })
}

function invalid(place: string, name: string, message: string): Reply {
  return jsonReply(422, { detail: [{ type: 'value_error', loc: [place, name], msg: message }] })
}

const BODY_NAMES = nameSet(
  `apply_language_text_normalization apply_text_normalization language_code model_id next_request_ids next_text
  previous_request_ids previous_text pronunciation_dictionary_locators seed text use_pvc_as_ivc voice_settings`,
)
const VOICE_NAMES = nameSet('similarity_boost speed stability style use_speaker_boost')
const QUERY_NAMES = nameSet('enable_logging optimize_streaming_latency output_format')
const FORMAT = /^(?:alaw_8000|mp3_\d+_\d+|opus_48000_\d+|pcm_\d+|ulaw_8000|wav_\d+)$/

function speech({ json, query }: NativeCall, voice: string): Reply {
  const strange = unknownName(query.keys(), QUERY_NAMES)
  if (strange !== undefined) return invalid('query', strange, 'Extra inputs are not permitted')
  const format = query.get('output_format') ?? 'mp3_44100_128'
  if (!FORMAT.test(format)) return invalid('query', 'output_format', 'Input should be a known format')
  const body = json ?? {}
  const settings = body['voice_settings']
  const unknown =
    unknownName(Object.keys(body), BODY_NAMES) ??
    unknownName(Object.keys(isJsonObject(settings) ? settings : {}), VOICE_NAMES)
  if (unknown !== undefined) return invalid('body', unknown, 'Extra inputs are not permitted')
  if (typeof body['text'] !== 'string' || body['text'] === '')
    return invalid('body', 'text', 'Field required')
  if (!/^[A-Za-z0-9]{20}$/.test(voice))
    return failure(404, 'voice_not_found', `A voice with the voice_id ${voice} was not found.`)
  const model = body['model_id'] ?? 'eleven_multilingual_v2'
  if (typeof model !== 'string' || !model.startsWith('eleven_'))
    return failure(400, 'model_not_found', 'A model with that model_id was not found.')
  const headers = { 'content-type': typeOf(format), 'request-id': 'r1' }
  return { status: 200, headers, chunks: [Buffer.from('ID3 spoken '), Buffer.from('in two pieces')] }
}

function typeOf(format: string): string {
  if (format.startsWith('mp3')) return 'audio/mpeg'
  return format.startsWith('opus') ? 'audio/ogg' : `audio/${format.split('_')[0] ?? ''}`
}
