import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import { createDecimator, type Decimator } from './decimator.ts'
import { compressed, expanded } from './g711.ts'

/** In which form a client sends sound, or gets it; Live itself has samples of 16 bits alone. */
export type SoundForm = 'pcm' | 'pcmu' | 'pcma'

/** How a form is named, in today's sessions and in the beta's, and what it is to people. */
export const SOUND_FORMS: {
  readonly [F in SoundForm]: { readonly today: JsonObject; readonly beta: string; readonly what: string }
} = {
  pcm: { today: { type: 'audio/pcm', rate: 24_000 }, beta: 'pcm16', what: '16-bit PCM at 24 kHz' },
  pcmu: { today: { type: 'audio/pcmu' }, beta: 'g711_ulaw', what: 'G.711 (µ-law)' },
  pcma: { today: { type: 'audio/pcma' }, beta: 'g711_alaw', what: 'G.711 (A-law)' },
}

const FORMS = ['pcm', 'pcmu', 'pcma'] as const

/** The form that a session names; undefined for one that there is not. */
export function soundForm(value: Json): SoundForm | undefined {
  return FORMS.find((form) => {
    const { today, beta } = SOUND_FORMS[form]
    if (!isJsonObject(value)) return value === beta
    return value['type'] === today['type'] && [undefined, today['rate']].includes(value['rate'])
  })
}

/** Sound for the upstream. */
export interface HeardSound {
  /** `{mimeType, data}`: any rate may be sent to Live, where its type says which (https://ai.google.dev/gemini-api/docs/live-guide, "Audio formats"). */
  readonly blob: JsonObject
  /** How long it takes, milliseconds. */
  readonly ms: number
}

/** A client's sound, base64 of that form, for the upstream. G.711 stays at the rate that it has. */
export function heardSound(data: string, form: SoundForm): HeardSound {
  const ms = lengthOf(data) / BYTES_A_MS[form]
  if (form === 'pcm') return { blob: { mimeType: 'audio/pcm;rate=24000', data }, ms }
  const pcm = expanded(Buffer.from(data, 'base64'), form)
  return { blob: { mimeType: 'audio/pcm;rate=8000', data: pcm.toString('base64') }, ms }
}

const BYTES_A_MS: { readonly [F in SoundForm]: number } = { pcm: 48, pcmu: 8, pcma: 8 }

/** Bytes that a text in base64 is. */
function lengthOf(data: string): number {
  const padding = data.endsWith('==') ? 2 : data.endsWith('=') ? 1 : 0
  return Math.floor((data.length * 3) / 4) - padding
}

/** What the model says, for a client's ears. */
export interface Voice {
  /** A piece of base64 of the upstream's type, in the client's form; empty where there is nothing to be heard yet. */
  take(data: string, type: string): string
  /** What comes next has nothing to do with what came before. */
  over(): void
}

/** G.711's, samples a second. */
const G711_RATE = 8_000
/** Live's. */
const USUAL_RATE = 24_000

/** Makes it. `form` is asked for each piece. */
export function createVoice(form: () => SoundForm): Voice {
  let decimator: Decimator | undefined
  return {
    take: (data, type) => {
      const wanted = form()
      if (wanted === 'pcm') return data
      decimator ??= createDecimator(Math.max(1, Math.round(rateOf(type) / G711_RATE)))
      return compressed(decimator.take(Buffer.from(data, 'base64')), wanted).toString('base64')
    },
    over: () => {
      decimator = undefined
    },
  }
}

function rateOf(type: string): number {
  const rate = Number(/;\s*rate=(\d{4,6})\b/i.exec(type)?.[1] ?? USUAL_RATE)
  return rate > MAX_RATE ? USUAL_RATE : rate
}

const MAX_RATE = 96_000
