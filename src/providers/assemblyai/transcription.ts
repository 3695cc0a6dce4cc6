import { entryOf } from '../../core/entry-of.ts'
import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import type { TranscriptionRequest, TranscriptionResponse } from '../../core/mode.ts'
import type { WireRequest, WireResponse } from '../../transport/wire.ts'
import type { Codec, NextRequest, Target } from '../adapter.ts'
import { notAnAnswer, numberOf, readAnswer, textOf } from '../answer.ts'
import { bodyText } from '../error-facts.ts'
import { pollMs } from '../follow-up.ts'
import { postJson } from '../post-json.ts'
import { spokenFields, transcript, type SpokenWord } from '../transcript.ts'

/** The version of the API that transcribes: a target without it leads to the gateway to language models. */
export const TRANSCRIBING = 'v2'

/** Does this target lead to where sound is transcribed? */
export function isTranscribing({ apiVersion }: Pick<Target, 'apiVersion'>): boolean {
  return apiVersion === TRANSCRIBING
}

/** OpenAI's fields that it has no word for. */
const UNSAID: ReadonlySet<string> = new Set(['include', 'chunking_strategy'])
const RENAMED: Readonly<Record<string, string>> = { language: 'language_code' }
/** Its fields that are no text, and no list of texts. */
const TYPED = /^(?:true|false|-?\d+(?:\.\d+)?|[{[].*)$/s
/**
 * What a deployment may set (https://github.com/AssemblyAI/assemblyai-api-spec, of 2026-03-23). A webhook is left out:
 * the answer is waited for.
 */
const PARAMETERS: ReadonlySet<string> = new Set(
  `audio_end_at audio_start_from auto_chapters auto_highlights content_safety content_safety_confidence custom_spelling
  disfluencies entity_detection filter_profanity format_text iab_categories keyterms_prompt language_code language_codes
  language_confidence_threshold language_detection language_detection_options multichannel prompt punctuate redact_pii
  redact_pii_policies redact_pii_sub remove_audio_tags sentiment_analysis speaker_labels speaker_options
  speakers_expected speech_models speech_threshold speech_understanding summarization summary_model summary_type
  temperature`.split(/\s+/),
)
/** What would decide on a language otherwise. */
const LANGUAGE_FIELDS = ['language_code', 'language_codes', 'language_detection'] as const

/** Transcription in three steps: the sound is uploaded, its transcript ordered, and looked at until it is there. */
export const assemblyAiTranscription: Codec<'audio_transcription'> = {
  encode: ({ file, fields }, target) => {
    if (!isTranscribing(target)) {
      throw new GatewayError(
        'misconfigured',
        'this deployment leads to AssemblyAI\'s language models: write "mode: audio_transcription" into its model_info',
        { source: 'gateway' },
      )
    }
    const dropped = spokenFields(fields)
      .map(([name]) => name)
      .filter((name) => UNSAID.has(name))
    return {
      method: 'POST',
      url: `${target.base}/v2/upload`,
      headers: { accept: 'application/json', 'content-type': 'application/octet-stream' },
      body: file.bytes,
      ...(dropped.length > 0 && { dropped }),
    }
  },
  next: (response, request, target, step) => {
    const body = parseJson(bodyText(response))
    return isJsonObject(body) ? nextOf(body, request, target, step) : undefined
  },
  decode: (response) => decodeTranscript(response),
}

function nextOf(
  body: JsonObject,
  request: TranscriptionRequest,
  target: Target,
  step: number,
): NextRequest | undefined {
  const uploaded = textOf(body['upload_url'])
  if (uploaded !== undefined && step === 0) return { request: order(uploaded, request, target), afterMs: 0 }
  const id = textOf(body['id'])
  const { status } = body
  if (id === undefined || (status !== 'queued' && status !== 'processing')) return undefined
  const url = `${target.base}/v2/transcript/${encodeURIComponent(id)}`
  return {
    request: { method: 'GET', url, headers: { accept: 'application/json' } },
    afterMs: pollMs(step - 1),
  }
}

function order(audioUrl: string, { fields }: TranscriptionRequest, target: Target): WireRequest {
  const said = spokenFields(fields)
    .filter(([name]) => !UNSAID.has(name))
    .map(([name, values]): readonly [string, Json] => [entryOf(RENAMED, name) ?? name, valueOf(name, values)])
  const defaults = Object.entries(target.bodyDefaults)
    .map(([name, value]) => [entryOf(RENAMED, name) ?? name, value] as const)
    .filter(([name]) => PARAMETERS.has(name))
  const asked: JsonObject = { ...Object.fromEntries(defaults), ...Object.fromEntries(said) }
  // OpenAI's models hear which language it is; here English is meant unless something else is said.
  const hears = LANGUAGE_FIELDS.every((name) => asked[name] === undefined)
  return postJson(`${target.base}/v2/transcript`, {
    speech_models: [target.model],
    ...(hears && { language_detection: true }),
    ...asked,
    audio_url: audioUrl,
  })
}

/** A form knows texts only, and it wants numbers as numbers. */
function valueOf(name: string, values: readonly string[]): Json {
  const [only] = values
  if (values.length !== 1 || only === undefined) return values
  if (name === 'prompt') return only
  return TYPED.test(only) ? (parseJson(only) ?? only) : only
}

const EXPECTED = 'a transcript in "text"'
/** What it says of sound that nobody could transcribe. */
const CLIENTS_SOUND =
  /transcoding failed|does not appear to contain audio|too short|no spoken audio|is empty|too large|invalid audio/i

/** `{id, status, text, language_code, audio_duration, words: [{text, start, end}]}`, times in milliseconds. */
function decodeTranscript(response: WireResponse): TranscriptionResponse {
  const failed = parseJson(bodyText(response))
  if (isJsonObject(failed) && failed['status'] === 'error' && typeof failed['error'] === 'string') {
    throw new GatewayError(
      CLIENTS_SOUND.test(failed['error']) ? 'bad_request' : 'server_error',
      `answered ${response.status} with a transcript that failed: ${failed['error'].slice(0, 500)}`,
      { upstreamStatus: CLIENTS_SOUND.test(failed['error']) ? 400 : 500 },
    )
  }
  const body = readAnswer(response, EXPECTED)
  const text = textOf(body['text'])
  const isDone = body['status'] === undefined || body['status'] === 'completed'
  if (text === undefined || !isDone) throw notAnAnswer(response, body, EXPECTED)
  return transcript({
    text,
    language: textOf(body['language_code']),
    durationS: numberOf(body['audio_duration']),
    words: Array.isArray(body['words']) ? body['words'].flatMap(wordOf) : [],
  })
}

function wordOf(value: Json): readonly SpokenWord[] {
  if (!isJsonObject(value)) return []
  const word = textOf(value['text'])
  const start = numberOf(value['start'])
  const end = numberOf(value['end'])
  if (word === undefined || start === undefined || end === undefined) return []
  return [{ word, start: start / 1_000, end: end / 1_000 }]
}
