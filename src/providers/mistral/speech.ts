import { entryOf } from '../../core/entry-of.ts'
import { GatewayError } from '../../core/failure.ts'
import type { SpeechResponse } from '../../core/mode.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Codec } from '../adapter.ts'
import { notAnAnswer, readAnswer, textOf } from '../answer.ts'
import { withDefaults } from '../body-defaults.ts'
import { postJson } from '../post-json.ts'
import type { Surface } from '../openai/surface.ts'

/** OpenAI's voices and the two of Mistral's that stand in for them; any other name is one of its own. */
const [JANE, PAUL] = ['gb_jane_neutral', 'en_paul_neutral'] as const
const VOICES: Readonly<Record<string, string>> = {
  alloy: JANE,
  ash: PAUL,
  ballad: PAUL,
  cedar: PAUL,
  coral: JANE,
  echo: PAUL,
  fable: PAUL,
  marin: JANE,
  nova: JANE,
  onyx: PAUL,
  sage: JANE,
  shimmer: JANE,
  verse: PAUL,
}
/** Its `pcm` is another one than OpenAI's, and it has no `aac`. */
const FORMATS: ReadonlySet<unknown> = new Set(['mp3', 'opus', 'flac', 'wav'])
/** What a deployment may set beside OpenAI's fields. */
const OWN = ['expressiveness', 'ref_audio'] as const

/**
 * Speech (https://docs.mistral.ai/studio/audio/text-to-speech/generate-speech, read 2026-11-27): a `voice_id`, and an
 * answer in JSON that holds the sound.
 */
export function speech(surface: Surface): Codec<'audio_speech'> {
  return {
    encode: (request, target) => {
      const {
        voice,
        instructions,
        speed = 1,
        response_format: format = 'mp3',
        stream_format: streamed = 'audio',
        user: _,
        ...rest
      } = withDefaults('audio_speech', request, target.bodyDefaults, OWN)
      const name = textOf(voice) ?? ''
      const isKnown = FORMATS.has(format)
      const dropped = [
        ...(isKnown ? [] : ['response_format']),
        ...(typeof instructions === 'string' && instructions !== '' ? ['instructions'] : []),
        ...(speed === 1 ? [] : ['speed']),
        ...(streamed === 'audio' ? [] : ['stream_format']),
      ]
      const body = {
        ...rest,
        voice_id: entryOf(VOICES, name) ?? name,
        ...(isKnown && { response_format: format }),
        model: target.model,
      }
      return {
        ...postJson(surface.url(target, 'audio_speech'), body),
        ...(dropped.length > 0 && { dropped }),
      }
    },
    decode,
  }
}

const EXPECTED = 'sound in "audio_data"'

function decode(response: WireResponse): SpeechResponse {
  const body = readAnswer(response, EXPECTED)
  const data = textOf(body['audio_data'])
  if (data === undefined) throw notAnAnswer(response, body, EXPECTED)
  const bytes = Buffer.from(data, 'base64')
  if (bytes.length === 0) throw new GatewayError('empty', `answered ${response.status} with no sound at all`)
  return { sizeBytes: bytes.length, contentType: typeOf(bytes), bytes }
}

/** How each form of sound begins. Anything else is MP3, of which nearly every beginning is one. */
const BEGINNINGS: Readonly<Record<string, string>> = {
  RIFF: 'audio/wav',
  fLaC: 'audio/flac',
  OggS: 'audio/ogg',
}

/** What the sound is: the answer does not say it. */
function typeOf(bytes: Buffer): string {
  return entryOf(BEGINNINGS, bytes.subarray(0, 4).toString('latin1')) ?? 'audio/mpeg'
}
