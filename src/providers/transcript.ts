import type { JsonObject } from '../core/json.ts'
import type { TranscriptionRequest, TranscriptionResponse } from '../core/mode.ts'

/** A word, and when it was said, in seconds. */
export interface SpokenWord {
  readonly word: string
  readonly start: number
  readonly end: number
  /** What stands between it and the next one; default a space. */
  readonly after?: string
}

/** What a provider heard. */
export interface Heard {
  readonly text: string
  readonly language?: string | undefined
  /** Of the sound, in seconds. Absent: as long as words were heard. */
  readonly durationS?: number | undefined
  readonly words: readonly SpokenWord[]
}

/** A silence that ends a segment; Deepgram's own measure for utterances. */
const PAUSE_S = 0.8
/** Two lines of a subtitle, and as long as one is shown. */
const MOST_CHARS = 84
const LONGEST_S = 7
const SENTENCE_END = /[.?!…。？！]["')\]”’»]*$/

/** The answer as OpenAI writes it in `verbose_json`: no figures of a segment that only Whisper knows. */
export function transcript({ text, language, durationS, words }: Heard): TranscriptionResponse {
  const lastS = words.at(-1)?.end
  const duration = durationS ?? lastS
  return {
    text,
    whole: {
      task: 'transcribe',
      ...(language !== undefined && { language }),
      ...(duration !== undefined && { duration }),
      text,
      words: words.map(({ word, start, end }) => ({ word, start, end })),
      ...(words.length > 0 && { segments: segmentsOf(words) }),
    },
  }
}

/** Words as segments: a sentence, what is said between two pauses, or as much as fits into a subtitle. */
function segmentsOf(words: readonly SpokenWord[]): readonly JsonObject[] {
  const segments: { id: number; start: number; end: number; text: string }[] = []
  let isOpen = false
  for (const [at, { word, start, end, after = ' ' }] of words.entries()) {
    const open = isOpen ? segments.at(-1) : undefined
    const fits =
      open !== undefined &&
      start - open.end < PAUSE_S &&
      end - open.start <= LONGEST_S &&
      open.text.length + word.length <= MOST_CHARS
    if (fits) {
      open.text += word
      open.end = end
    } else segments.push({ id: segments.length, start, end, text: word })
    isOpen = !SENTENCE_END.test(word)
    const last = segments.at(-1)
    if (last !== undefined && isOpen && at < words.length - 1) last.text += after
  }
  return segments.map(({ id, start, end, text }) => ({ id, start, end, text: text.trim() }))
}

/** Names of OpenAI's that say how the answer is written, which is not the provider's affair, or that say nothing. */
const OF_THE_ANSWER: ReadonlySet<string> = new Set([
  'model',
  'response_format',
  'timestamp_granularities',
  'stream',
  'user',
])

/** The fields that are said to the provider, each by one value or several. */
export function spokenFields(
  fields: TranscriptionRequest['fields'],
): readonly (readonly [string, readonly string[]])[] {
  return Object.entries(fields)
    .filter(([name]) => !OF_THE_ANSWER.has(name))
    .map(([name, value]) => [name, typeof value === 'string' ? [value] : value])
}
