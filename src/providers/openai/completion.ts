import type { JsonObject } from '../../core/json.ts'
import { isJsonObject } from '../../core/json.ts'
import type { Codec } from '../adapter.ts'
import { firstObject, notAnAnswer, readAnswer, textOf } from '../answer.ts'
import { relayJson } from './relay.ts'
import { postBody, type Surface } from './surface.ts'

/** Text completions (https://platform.openai.com/docs/api-reference/completions/create). */
export function completionCodec(surface: Surface): Codec<'completion'> {
  const place = surface.completionAnswer ?? 'text'
  const expected = place === 'text' ? 'text in "choices[0].text"' : 'text in "choices[0].message.content"'
  return {
    encode: (request, target) => postBody(surface, 'completion', request, target),
    decode: (response) => {
      const body = readAnswer(response, expected)
      const text = wordsOf(firstObject(body['choices']), place)
      if (text === undefined) throw notAnAnswer(response, body, expected)
      return { text, model: textOf(body['model']) }
    },
    relay: relayJson(surface, 'completion'),
  }
}

function wordsOf(choice: JsonObject | undefined, place: 'text' | 'message'): string | undefined {
  if (place === 'text') return textOf(choice?.['text'])
  const message = choice?.['message']
  return isJsonObject(message) ? textOf(message['content']) : undefined
}
