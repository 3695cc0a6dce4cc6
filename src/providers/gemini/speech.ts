import { entryOf } from '../../core/entry-of.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { SpeechRequest } from '../../core/mode.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Codec, Target } from '../adapter.ts'
import { firstObject, notAnAnswer, readAnswer, textOf } from '../answer.ts'
import { withDefaults } from '../body-defaults.ts'
import { postJson } from '../post-json.ts'
import { blockedPrompt, finishReason } from './finish.ts'
import type { Surface } from './surface.ts'

const EXPECTED = 'sound in "inlineData"'

/**
 * OpenAI's voices and those of Google's that stand in for them; any other name is Google's own
 * (https://ai.google.dev/gemini-api/docs/speech-generation#voices).
 */
const VOICES: Readonly<Record<string, string>> = {
  alloy: 'Kore',
  ash: 'Charon',
  ballad: 'Enceladus',
  cedar: 'Orus',
  coral: 'Aoede',
  echo: 'Puck',
  fable: 'Zephyr',
  marin: 'Leda',
  nova: 'Callirrhoe',
  onyx: 'Fenrir',
  sage: 'Autonoe',
  shimmer: 'Umbriel',
  verse: 'Iapetus',
}

/** Who speaks, for a voice of OpenAI's or of Google's. */
export function speechConfig(voice: string): JsonObject {
  const voiceName = entryOf(VOICES, voice) ?? voice
  return { voiceConfig: { prebuiltVoiceConfig: { voiceName } } }
}

/** Speech by a model with `-tts` in its name: `generateContent` whose answer is sound; we wrap it as WAV. */
export function geminiSpeech(surface: Surface): Codec<'audio_speech'> {
  return {
    encode: (request, target) => {
      const { body, dropped } = toSpeech(request, target)
      return {
        ...postJson(surface.url(target, 'generateContent'), body),
        ...(dropped.length > 0 && { dropped }),
      }
    },
    decode: decodeSpeech,
  }
}

function toSpeech(
  request: SpeechRequest,
  target: Target,
): { readonly body: JsonObject; readonly dropped: readonly string[] } {
  const filled = withDefaults('audio_speech', request, target.bodyDefaults)
  const {
    input,
    voice,
    instructions,
    model: _,
    user: __,
    response_format: format = 'wav',
    speed = 1,
    stream_format: streamed = 'audio',
    ...rest
  } = filled
  const spoken = textOf(input) ?? ''
  // How to speak is said before what to speak (https://ai.google.dev/gemini-api/docs/speech-generation#controllable).
  const text = typeof instructions === 'string' && instructions !== '' ? `${instructions}: ${spoken}` : spoken
  return {
    body: {
      ...rest,
      contents: [{ role: 'user', parts: [{ text }] }],
      generationConfig: {
        responseModalities: ['AUDIO'],
        speechConfig: speechConfig(textOf(voice) ?? ''),
      },
    },
    dropped: [
      ...(format === 'wav' ? [] : ['response_format']),
      ...(speed === 1 ? [] : ['speed']),
      ...(streamed === 'audio' ? [] : ['stream_format']),
    ],
  }
}

function decodeSpeech(response: WireResponse): {
  readonly sizeBytes: number
  readonly contentType: string
  readonly bytes: Uint8Array
} {
  const body = readAnswer(response, EXPECTED)
  const blocked = blockedPrompt(body)
  if (blocked !== undefined) throw blocked
  const candidate = firstObject(body['candidates'])
  const content = candidate?.['content']
  const parts: Json | undefined = isJsonObject(content) ? content['parts'] : undefined
  const pieces = (Array.isArray(parts) ? parts : []).flatMap((part: Json) => {
    const inline = isJsonObject(part) ? part['inlineData'] : undefined
    const data = isJsonObject(inline) ? textOf(inline['data']) : undefined
    return isJsonObject(inline) && data !== undefined && data !== ''
      ? [{ type: textOf(inline['mimeType']) ?? '', bytes: Buffer.from(data, 'base64') }]
      : []
  })
  const [first] = pieces
  if (first === undefined) {
    if (candidate !== undefined) finishReason(candidate, { isSilent: true, hasCalls: false })
    throw notAnAnswer(response, body, EXPECTED)
  }
  const sound = Buffer.concat(pieces.map(({ bytes }) => bytes))
  const rate = rateOf(first.type)
  const bytes = rate === undefined ? sound : wav(sound, rate)
  return { sizeBytes: bytes.length, contentType: rate === undefined ? first.type : 'audio/wav', bytes }
}

/** Samples a second of `audio/L16;codec=pcm;rate=24000`; undefined where the sound has a form of its own. */
function rateOf(type: string): number | undefined {
  if (!/^audio\/(l16|pcm)/i.test(type)) return undefined
  return Number(/rate=(\d+)/i.exec(type)?.[1] ?? 24_000)
}

/** One channel of signed 16-bit samples with the header that says so (RIFF WAVE, PCM). */
function wav(samples: Buffer, rate: number): Buffer {
  const header = Buffer.alloc(44)
  header.write('RIFF', 0)
  header.writeUInt32LE(36 + samples.length, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(rate, 24)
  header.writeUInt32LE(rate * 2, 28)
  header.writeUInt16LE(2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36)
  header.writeUInt32LE(samples.length, 40)
  return Buffer.concat([header, samples])
}
