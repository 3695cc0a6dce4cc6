import { GatewayError } from '../../core/failure.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Codec } from '../adapter.ts'
import { notAnAnswer } from '../answer.ts'
import { bodyText, looksLikeHtml, parseJson } from '../error-facts.ts'
import { postBody, type Surface } from './surface.ts'

const EXPECTED = 'sound'

/** Speech (https://platform.openai.com/docs/api-reference/audio/createSpeech): the answer is raw bytes. */
export function speechCodec(surface: Surface): Codec<'audio_speech'> {
  return {
    encode: (request, target) => {
      const wire = postBody(surface, 'audio_speech', request, target)
      return { ...wire, headers: { ...wire.headers, accept: 'application/octet-stream' } }
    },
    decode: decodeSound,
  }
}

function decodeSound(response: WireResponse): { readonly sizeBytes: number; readonly contentType: string } {
  const sizeBytes = response.body.length
  const contentType = response.headers['content-type'] ?? ''
  if (sizeBytes === 0) throw new GatewayError('empty', `answered ${response.status} with no sound at all`)
  if (!/^(audio\/|application\/octet-stream|binary\/octet-stream|video\/)/i.test(contentType)) {
    const text = bodyText(response)
    const what = looksLikeHtml(text) ? 'a web page' : contentType || 'an unnamed type'
    const body = parseJson(text)
    if (body !== undefined) throw notAnAnswer(response, body, EXPECTED)
    throw new GatewayError('wrong_shape', `answered ${response.status} with ${what} in place of ${EXPECTED}`)
  }
  return { sizeBytes, contentType }
}
