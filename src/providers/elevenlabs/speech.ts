import { entryOf } from '../../core/entry-of.ts'
import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { Codec } from '../adapter.ts'
import { withDefaults } from '../body-defaults.ts'
import { postJson } from '../post-json.ts'
import { withQuery } from '../route.ts'
import { decodeSound } from '../sound-answer.ts'
import { elevenLabsUrl } from './address.ts'

/** LiteLLM's voices for OpenAI's names and some more; any other name is an id of ElevenLabs'. */
const VOICES: Readonly<Record<string, string>> = {
  alloy: '21m00Tcm4TlvDq8ikWAM',
  amber: '5Q0t7uMcjvnagumLfvZi',
  ash: 'AZnzlk1XvdvUeBnXmlld',
  august: 'D38z5RcWu1voky8WS1ja',
  blue: '2EiwWnXFnvU5JabPnv8n',
  coral: '9BWtsMINqrJLrRacOk9x',
  lily: 'EXAVITQu4vr4xnSDxMaL',
  onyx: '29vD33N1CtxCmqQRPOHJ',
  sage: 'CwhRBWXzGAHq8TQ4Fs17',
  verse: 'CYw3kZ02Hs0563khs1Fj',
}
/** OpenAI's formats in ElevenLabs' words. OpenAI's `pcm` is 24 kHz; LiteLLM asks for 44.1 and plays it too slowly. */
const FORMATS: Readonly<Record<string, string>> = {
  mp3: 'mp3_44100_128',
  opus: 'opus_48000_128',
  pcm: 'pcm_24000',
  wav: 'wav_24000',
}
/** `mp3_22050_32`, `ulaw_8000`: its own word for one. */
const OWN_FORMAT = /^(?:alaw|mp3|opus|pcm|ulaw|wav)_\d+(?:_\d+)?$/
/** What the body may hold besides the text and the model. */
const PARAMETERS: ReadonlySet<string> = new Set(
  `apply_language_text_normalization apply_text_normalization language_code next_request_ids next_text
  previous_request_ids previous_text pronunciation_dictionary_locators seed use_pvc_as_ivc voice_settings`.split(
    /\s+/,
  ),
)
/** Said otherwise, or nobody's affair but the gateway's. */
const SAID: ReadonlySet<string> = new Set([
  'input',
  'voice',
  'model',
  'response_format',
  'speed',
  'instructions',
  'stream_format',
  'user',
])

/** Speech (https://elevenlabs.io/docs/api-reference/text-to-speech/convert): the voice stands in the path. */
export const elevenLabsSpeech: Codec<'audio_speech'> = {
  encode: (request, target) => {
    const asked = withDefaults('audio_speech', request, target.bodyDefaults)
    const { instructions, stream_format: streamed } = asked
    const format = formatOf(asked['response_format'])
    const dropped = [
      ...(format === 'unknown' ? ['response_format'] : []),
      ...(typeof instructions === 'string' && instructions !== '' ? ['instructions'] : []),
      ...(streamed !== undefined && streamed !== 'audio' ? ['stream_format'] : []),
    ]
    const url = elevenLabsUrl(target, `/text-to-speech/${encodeURIComponent(voiceId(request.voice))}`)
    const own = Object.entries(target.bodyDefaults).filter(([name]) => PARAMETERS.has(name))
    const more = Object.entries(request).filter(([name]) => !SAID.has(name))
    const wire = postJson(
      format === undefined || format === 'unknown' ? url : withQuery(url, 'output_format', format),
      withSpeed(
        { ...Object.fromEntries([...own, ...more]), text: request.input, model_id: target.model },
        asked['speed'],
      ),
    )
    return {
      ...wire,
      headers: { ...wire.headers, accept: 'audio/*' },
      ...(dropped.length > 0 && { dropped }),
    }
  },
  decode: decodeSound,
  answersAsIs: true,
}

/** @throws GatewayError bad_request for a name that would lead elsewhere */
function voiceId(voice: string): string {
  const name = voice.trim()
  if (/^\.{0,2}$/.test(name))
    throw new GatewayError('bad_request', "'voice' must name a voice", {
      status: 400,
      source: 'client',
      param: 'voice',
    })
  return entryOf(VOICES, name.toLowerCase()) ?? name
}

/** Undefined: its own default, which is OpenAI's. */
function formatOf(asked: Json | undefined): string | undefined {
  if (asked === undefined || asked === null) return undefined
  if (typeof asked !== 'string') return 'unknown'
  return entryOf(FORMATS, asked) ?? (OWN_FORMAT.test(asked) ? asked : 'unknown')
}

function withSpeed(body: JsonObject, speed: Json | undefined): JsonObject {
  if (typeof speed !== 'number') return body
  const settings = body['voice_settings']
  return { ...body, voice_settings: { ...(isJsonObject(settings) && settings), speed } }
}
