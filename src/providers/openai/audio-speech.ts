import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Codec } from '../adapter.ts'
import { notAnAnswer } from '../answer.ts'
import { bodyText, looksLikeHtml, parseJson } from '../error-facts.ts'
import { relayBody } from './relay.ts'
import { postBody, type Surface } from './surface.ts'

const EXPECTED = 'sound'
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
  const disguised = jsonIn(response)
  if (disguised !== undefined) throw notAnAnswer(response, disguised, EXPECTED)
  return { sizeBytes, contentType }
}

const OPEN_BRACE = 0x7b
/** No error text is longer. */
const MAX_JSON_BYTES = 64 * 1024

/** A JSON object that is called sound: some servers keep the type of the answer that they could not make. */
function jsonIn(response: WireResponse): JsonObject | undefined {
  const { body } = response
  if (body.length > MAX_JSON_BYTES || !body.subarray(0, 8).includes(OPEN_BRACE)) return undefined
  const json = parseJson(bodyText(response))
  return isJsonObject(json) ? json : undefined
}
