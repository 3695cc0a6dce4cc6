import { entryOf } from '../../core/entry-of.ts'
import { GatewayError } from '../../core/failure.ts'
import type { Codec } from '../adapter.ts'
import { withDefaults } from '../body-defaults.ts'
import { postJson } from '../post-json.ts'
import { decodeSound } from '../sound-answer.ts'
import { deepgramUrl } from './address.ts'

/**
 * OpenAI's formats in Deepgram's words (https://developers.deepgram.com/docs/tts-encoding, read 2026-11-27). OpenAI's
 * `pcm` is 24 kHz, 16 bits, without a header.
 */
const FORMATS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  mp3: { encoding: 'mp3' },
  opus: { encoding: 'opus', container: 'ogg' },
  aac: { encoding: 'aac' },
  flac: { encoding: 'flac' },
  wav: { encoding: 'linear16', container: 'wav' },
  pcm: { encoding: 'linear16', container: 'none', sample_rate: '24000' },
}
/** Its own parameters, which clients and deployments may set. */
const PARAMETERS = ['bit_rate', 'container', 'encoding', 'mip_opt_out', 'sample_rate', 'tag'] as const
/** OpenAI's names for voices: here whichever voice the deployment has. */
const OPENAI_VOICES: ReadonlySet<string> = new Set(
  'alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse'.split(' '),
)
const DEFAULT_VOICE = 'aura-2-thalia-en'
const NAMED_VOICE = /^aura(?:-\d+)?-[a-z]+-[a-z]{2}$/

/** Speech (https://developers.deepgram.com/reference/text-to-speech/speak-request): the model is the voice. */
export const deepgramSpeak: Codec<'audio_speech'> = {
  encode: (request, target) => {
    const asked = withDefaults('audio_speech', request, target.bodyDefaults)
    const { response_format: format = 'mp3', speed, instructions, stream_format: streamed } = asked
    const known = typeof format === 'string' ? entryOf(FORMATS, format) : undefined
    const dropped = [
      ...(known === undefined ? ['response_format'] : []),
      ...(typeof instructions === 'string' && instructions !== '' ? ['instructions'] : []),
      ...(streamed !== undefined && streamed !== 'audio' ? ['stream_format'] : []),
    ]
    const own = PARAMETERS.map((name) => [name, request[name] ?? target.bodyDefaults[name]] as const)
    const query: Readonly<Record<string, string>> = {
      model: voiceModel(target.model, request.voice),
      ...(known ?? FORMATS['mp3']),
      ...(typeof speed === 'number' && speed !== 1 && { speed: String(speed) }),
      ...Object.fromEntries(own.flatMap(([name, value]) => (isPlain(value) ? [[name, String(value)]] : []))),
    }
    const wire = postJson(deepgramUrl(target, '/speak', Object.entries(query)), { text: request.input })
    return {
      ...wire,
      headers: { ...wire.headers, accept: 'application/octet-stream' },
      ...(dropped.length > 0 && { dropped }),
    }
  },
  decode: decodeSound,
  answersAsIs: true,
}

function isPlain(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

/**
 * `aura-2-thalia-en` names a voice, `aura-2` a family of them.
 * @throws GatewayError bad_request where the client asks for a voice that this is not
 */
function voiceModel(model: string, voice: string): string {
  const own = voice.toLowerCase()
  if (NAMED_VOICE.test(own)) return own
  if (OPENAI_VOICES.has(own))
    return NAMED_VOICE.test(model) || !/^aura(-\d+)?$/.test(model) ? model : voiceOf(model)
  if (model.split('-').includes(own)) return model
  if (/^aura(-\d+)?$/.test(model) && /^[a-z]+$/.test(own)) return `${model}-${own}-en`
  throw new GatewayError(
    'bad_request',
    `the voice "${voice.slice(0, 64)}" is none of Deepgram's: name one as ${DEFAULT_VOICE}, or one of OpenAI's for the deployment's own`,
    { status: 400, source: 'client', param: 'voice' },
  )
}

function voiceOf(family: string): string {
  return family === 'aura' ? 'aura-asteria-en' : DEFAULT_VOICE.replace('aura-2', family)
}
