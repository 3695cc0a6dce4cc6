import { GatewayError } from '../core/failure.ts'
import { isJsonObject, type JsonObject, parseJson } from '../core/json.ts'
import type { WireResponse } from '../transport/wire.ts'
import { notAnAnswer } from './answer.ts'
import { bodyText, looksLikeHtml } from './error-facts.ts'

const EXPECTED = 'sound'

/**
 * Sound as raw bytes, as OpenAI and most others answer it.
 * @throws GatewayError empty, wrong_shape, whatever an error in disguise means
 */
export function decodeSound(response: WireResponse): {
  readonly sizeBytes: number
  readonly contentType: string
} {
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
