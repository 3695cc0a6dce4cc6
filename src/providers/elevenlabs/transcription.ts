import { entryOf } from '../../core/entry-of.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { TranscriptionResponse } from '../../core/mode.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Codec, Target } from '../adapter.ts'
import { notAnAnswer, numberOf, readAnswer, textOf } from '../answer.ts'
import { encodeForm } from '../multipart.ts'
import { spokenFields, transcript, type SpokenWord } from '../transcript.ts'
import { elevenLabsUrl } from './address.ts'

/**
 * What a deployment may set (https://elevenlabs.io/docs/api-reference/speech-to-text/convert, read 2026-11-27). A
 * webhook is left out: the answer would go there.
 */
const PARAMETERS: ReadonlySet<string> = new Set(
  `diarization_threshold diarize entity_detection file_format keyterms language_code no_verbatim num_speakers seed
  tag_audio_events temperature timestamps_granularity use_multi_channel`.split(/\s+/),
)
const RENAMED: Readonly<Record<string, string>> = { language: 'language_code' }
/** OpenAI's fields that it has no word for. */
const UNSAID: ReadonlySet<string> = new Set(['prompt', 'include', 'chunking_strategy'])

/** Transcription: a form, as OpenAI's, with other names in it. */
export const elevenLabsTranscription: Codec<'audio_transcription'> = {
  encode: ({ file, fields }, target) => {
    const said = spokenFields(fields)
    const dropped = said.map(([name]) => name).filter((name) => UNSAID.has(name))
    const own = said
      .filter(([name]) => !UNSAID.has(name))
      .map(([name, values]) => [entryOf(RENAMED, name) ?? name, values] as const)
    const settled = new Set(own.map(([name]) => name))
    const texts = [...defaultFields(target, settled), ...own].flatMap(([name, values]) =>
      values.map((value): readonly [string, string] => [name, value]),
    )
    const form = encodeForm([['model_id', target.model], ...texts], file)
    return {
      method: 'POST',
      url: elevenLabsUrl(target, '/speech-to-text'),
      headers: { accept: 'application/json', 'content-type': form.contentType },
      body: form.body,
      ...(dropped.length > 0 && { dropped }),
    }
  },
  decode: (response) => decodeTranscription(response),
}

function defaultFields(
  { bodyDefaults }: Target,
  settled: ReadonlySet<string>,
): readonly (readonly [string, readonly string[]])[] {
  return Object.entries(bodyDefaults).flatMap(([given, value]) => {
    const name = entryOf(RENAMED, given) ?? given
    if (!PARAMETERS.has(name) || settled.has(name) || value === undefined || value === null) return []
    const values: readonly Json[] = Array.isArray(value) ? value : [value]
    return [[name, values.map((each) => (typeof each === 'string' ? each : JSON.stringify(each)))] as const]
  })
}

const EXPECTED = 'a transcript in "text"'

/** `{language_code, text, words: [{text, start, end, type}]}`, or `{transcripts: […]}` of several channels. */
function decodeTranscription(response: WireResponse): TranscriptionResponse {
  const body = readAnswer(response, EXPECTED)
  const { transcripts } = body
  const parts = Array.isArray(transcripts) ? transcripts.filter(isJsonObject) : [body]
  const texts = parts.flatMap((part) => textOf(part['text']) ?? [])
  if (texts.length === 0 || texts.length < parts.length) throw notAnAnswer(response, body, EXPECTED)
  return transcript({
    text: texts.join('\n'),
    language: parts.map((part) => textOf(part['language_code'])).find((code) => code !== undefined),
    durationS: numberOf(body['audio_duration_secs']),
    words: parts.flatMap(wordsOf).sort((a, b) => a.start - b.start),
  })
}

/** What is between two words comes as one of its own, of the type `spacing`. */
function wordsOf(part: JsonObject): readonly SpokenWord[] {
  const words = Array.isArray(part['words']) ? part['words'].filter(isJsonObject) : []
  return words.flatMap((each, at) => {
    const word = textOf(each['text'])
    const start = numberOf(each['start'])
    const end = numberOf(each['end'])
    const isWord = (each['type'] ?? 'word') === 'word'
    if (!isWord || word === undefined || start === undefined || end === undefined) return []
    const next = words[at + 1]
    const after = next?.['type'] === 'spacing' ? textOf(next['text']) : ''
    return [{ word, start, end, after: after ?? ' ' }]
  })
}
