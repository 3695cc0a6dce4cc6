import type { Codec } from '../adapter.ts'
import { firstObject, notAnAnswer, readAnswer, textOf } from '../answer.ts'
import { asTextCompletion, openMessageStream } from './completion-message.ts'
import { relayBody } from './relay.ts'
import { postBody, type Surface } from './surface.ts'

/** Text completions (https://platform.openai.com/docs/api-reference/completions/create). */
export function completionCodec(surface: Surface): Codec<'completion'> {
  const isMessage = surface.completionAnswer === 'message'
  const expected = isMessage ? 'text in "choices[0].message.content"' : 'text in "choices[0].text"'
  return {
    encode: (request, target) => postBody(surface, 'completion', request, target),
    decode: (response) => {
      const body = readAnswer(response, expected)
      const whole = isMessage ? asTextCompletion(body) : body
      const text = textOf(firstObject(whole['choices'])?.['text'])
      if (text === undefined) throw notAnAnswer(response, body, expected)
      return { text, model: textOf(body['model']), whole }
    },
    ...(isMessage ? { openStream: openMessageStream } : { relay: relayBody(surface, 'completion') }),
  }
}
