import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { TranscriptionResponse } from '../../core/mode.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Codec, Target } from '../adapter.ts'
import { firstObject, notAnAnswer, numberOf, readAnswer, textOf } from '../answer.ts'
import { spokenFields, transcript, type SpokenWord } from '../transcript.ts'
import { deepgramUrl } from './address.ts'

/**
 * What a deployment may set (https://developers.deepgram.com/reference/speech-to-text/listen-pre-recorded, read
 * 2026-11-27). A callback is left out: the answer would go there.
 */
const PARAMETERS: ReadonlySet<string> = new Set(
  `custom_intent custom_intent_mode custom_topic custom_topic_mode detect_entities detect_language diarize diarize_model
  dictation encoding extra filler_words intents keyterm keywords language measurements mip_opt_out multichannel numerals
  paragraphs profanity_filter punctuate redact replace search sentiment smart_format summarize tag topics utt_split
  utterances version`.split(/\s+/),
)
/** OpenAI's fields that it has no word for. */
const UNSAID: ReadonlySet<string> = new Set(['prompt', 'temperature', 'include', 'chunking_strategy'])

/** Transcription: the sound is the body, all else the query. */
export const deepgramListen: Codec<'audio_transcription'> = {
  encode: ({ file, fields }, target) => {
    const said = spokenFields(fields)
    const dropped = said.map(([name]) => name).filter((name) => UNSAID.has(name))
    const query = said
      .filter(([name]) => !UNSAID.has(name))
      .flatMap(([name, values]) => values.map((value): readonly [string, string] => [name, value]))
    const defaults = defaultQuery(target, new Set(said.map(([name]) => name)))
    return {
      method: 'POST',
      url: deepgramUrl(target, '/listen', [['model', target.model], ...defaults, ...query]),
      headers: { accept: 'application/json', 'content-type': file.contentType },
      body: file.bytes,
      ...(dropped.length > 0 && { dropped }),
    }
  },
  decode: (response) => decodeListen(response),
}

function defaultQuery(
  { bodyDefaults }: Target,
  settled: ReadonlySet<string>,
): readonly (readonly [string, string])[] {
  return Object.entries(bodyDefaults).flatMap(([name, value]) =>
    PARAMETERS.has(name) && !settled.has(name) && value !== undefined && value !== null
      ? queryTexts(value).map((text): readonly [string, string] => [name, text])
      : [],
  )
}

function queryTexts(value: Json): readonly string[] {
  const values: readonly Json[] = Array.isArray(value) ? value : [value]
  return values.map((each) => (typeof each === 'string' ? each : JSON.stringify(each)))
}

const EXPECTED = 'a transcript in "results.channels"'

/** `{metadata: {duration}, results: {channels: [{detected_language, alternatives: [{transcript, words}]}]}}` */
function decodeListen(response: WireResponse): TranscriptionResponse {
  const body = readAnswer(response, EXPECTED)
  const results = body['results']
  const channels = isJsonObject(results) ? results['channels'] : undefined
  const heard = Array.isArray(channels) ? channels.flatMap(alternativeOf) : []
  if (heard.length === 0) throw notAnAnswer(response, body, EXPECTED)
  const metadata = body['metadata']
  const language = textOf(firstObject(channels)?.['detected_language'])
  return transcript({
    text: heard.map(({ text }) => text).join('\n'),
    language,
    durationS: isJsonObject(metadata) ? numberOf(metadata['duration']) : undefined,
    // Channels speak at the same time.
    words: heard.flatMap(({ words }) => words).sort((a, b) => a.start - b.start),
  })
}

/** The best of what a channel may have said. */
function alternativeOf(
  channel: Json,
): readonly { readonly text: string; readonly words: readonly SpokenWord[] }[] {
  const best = isJsonObject(channel) ? firstObject(channel['alternatives']) : undefined
  const text = textOf(best?.['transcript'])
  if (best === undefined || text === undefined) return []
  const words = best['words']
  return [{ text: spokenBy(best) ?? text, words: Array.isArray(words) ? words.flatMap(wordOf) : [] }]
}

/** With `diarize` and `paragraphs` it writes who speaks. */
function spokenBy(best: JsonObject): string | undefined {
  const { paragraphs, words } = best
  const isDiarized = numberOf(firstObject(words)?.['speaker']) !== undefined
  return isDiarized && isJsonObject(paragraphs) ? textOf(paragraphs['transcript'])?.trim() : undefined
}

function wordOf(value: Json): readonly SpokenWord[] {
  if (!isJsonObject(value)) return []
  const word = textOf(value['punctuated_word']) ?? textOf(value['word'])
  const start = numberOf(value['start'])
  const end = numberOf(value['end'])
  return word === undefined || start === undefined || end === undefined ? [] : [{ word, start, end }]
}
