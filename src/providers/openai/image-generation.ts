import { isJsonObject, type Json } from '../../core/json.ts'
import type { Codec } from '../adapter.ts'
import { notAnAnswer, readAnswer } from '../answer.ts'
import { relayBody } from './relay.ts'
import { postBody, type Surface } from './surface.ts'

const EXPECTED = '"b64_json" or "url" in "data[0]"'

/**
 * Images (https://platform.openai.com/docs/api-reference/images/create). The specification lets `data` be
 * absent; an answer without an image proves nothing, so we do not.
 */
export function imageCodec(surface: Surface): Codec<'image_generation'> {
  return {
    encode: (request, target) => postBody(surface, 'image_generation', request, target),
    decode: (response) => {
      const body = readAnswer(response, EXPECTED)
      const data = body['data']
      const images = Array.isArray(data) ? data.filter(isImage).length : 0
      if (images === 0) throw notAnAnswer(response, body, EXPECTED)
      return { images }
    },
    relay: relayBody(surface, 'image_generation'),
    sides: { image_edit: relayBody(surface, 'image_edit') },
  }
}

function isImage(value: Json): boolean {
  if (!isJsonObject(value)) return false
  return [value['b64_json'], value['url']].some((part) => typeof part === 'string' && part !== '')
}
