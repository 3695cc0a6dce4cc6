import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { TranscriptionRequest, TranscriptionResponse } from '../../core/mode.ts'
import type { Sound, Translation } from '../request/operation.ts'
import { refuse } from '../request/request.ts'
import { toSubtitles, type Caption } from './subtitles.ts'

/** Where OpenAI's clients want it, and the only forms that can be made of every provider's answer. */
const FORMATS = ['json', 'text', 'verbose_json', 'srt', 'vtt'] as const
type Format = (typeof FORMATS)[number]

/** Not for the provider. */
const NOT_FIELDS: ReadonlySet<string> = new Set(['file', 'model'])

/**
 * Transcriptions (https://platform.openai.com/docs/api-reference/audio/createTranscription): a form's file becomes text,
 * in the form that was asked for.
 */
export const TRANSCRIPTION_TRANSLATION: Translation<'audio_transcription'> = {
  read: (body, file) => {
    if (file === undefined) throw refuse("Missing required parameter: 'file', as a file with a name.", 'file')
    const fields: Record<string, string | readonly string[]> = {}
    for (const [name, value] of Object.entries(body)) {
      const text = NOT_FIELDS.has(name) ? undefined : fieldOf(value)
      if (text !== undefined) fields[name] = text
    }
    const request = { file, fields }
    formatOf(request)
    return request
  },
  answer: (value, request) => {
    const format = formatOf(request)
    switch (format) {
      case 'json':
        return { text: value.text, ...usageOf(value) }
      case 'verbose_json':
        return verbose(value, request)
      case 'text':
        return plain(`${value.text}\n`)
      case 'srt':
      case 'vtt':
        return plain(toSubtitles(captionsOf(value, format), format))
    }
  },
  isWanted: () => true,
}

function fieldOf(value: Json | undefined): string | readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  return Array.isArray(value) ? value.map(textOf) : textOf(value)
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function formatOf({ fields: { response_format: wanted = 'json' } }: TranscriptionRequest): Format {
  const format = FORMATS.find((each) => each === wanted)
  if (format !== undefined) return format
  throw refuse(
    `response_format must be one of ${FORMATS.join(', ')} for this model, not ${JSON.stringify(wanted)}.`,
    'response_format',
  )
}

/** OpenAI's measure of what a transcript costs where it counts no tokens. */
function usageOf({ whole }: TranscriptionResponse): { readonly usage?: JsonObject } {
  const seconds = whole?.['duration']
  return typeof seconds === 'number' ? { usage: { type: 'duration', seconds } } : {}
}

/** Segments unless only words are asked for, words where they are. */
function verbose(value: TranscriptionResponse, { fields }: TranscriptionRequest): JsonObject {
  const { words, segments, ...rest } = value.whole ?? {}
  const times = [fields['timestamp_granularities'] ?? []].flat()
  return {
    task: 'transcribe',
    ...rest,
    text: value.text,
    ...((times.length === 0 || times.includes('segment')) && segments !== undefined && { segments }),
    ...(times.includes('word') && words !== undefined && { words }),
    ...usageOf(value),
  }
}

function captionsOf({ text, whole }: TranscriptionResponse, format: Format): readonly Caption[] {
  const segments = whole?.['segments']
  const captions = Array.isArray(segments) ? segments.flatMap(captionOf) : []
  if (captions.length === 0 && text.trim() !== '')
    throw refuse(
      `response_format '${format}' needs times, and this model gave none: ask for json or text.`,
      'response_format',
    )
  return captions
}

function captionOf(segment: Json): readonly Caption[] {
  if (!isJsonObject(segment)) return []
  const { start, end, text } = segment
  return typeof start === 'number' && typeof end === 'number' && typeof text === 'string'
    ? [{ start, end, text }]
    : []
}

function plain(text: string): Sound {
  return { contentType: 'text/plain; charset=utf-8', bytes: Buffer.from(text) }
}
