import type { Codec } from '../adapter.ts'
import { decodeSound } from '../sound-answer.ts'
import { relayBody } from './relay.ts'
import { postBody, type Surface } from './surface.ts'

/** What OpenAI's own clients ask for; some servers choose between sound and JSON by it. */
const ACCEPT = 'application/octet-stream'

/** Speech (https://platform.openai.com/docs/api-reference/audio/createSpeech): the answer is raw bytes. */
export function speechCodec(surface: Surface): Codec<'audio_speech'> {
  return {
    encode: (request, target) => {
      const wire = postBody(surface, 'audio_speech', request, target)
      return { ...wire, headers: { ...wire.headers, accept: ACCEPT } }
    },
    decode: decodeSound,
    relay: { ...relayBody(surface, 'audio_speech'), accept: ACCEPT },
  }
}
