import { GatewayError } from '../../core/failure.ts'
import type { TranscriptionRequest } from '../../core/mode.ts'
import type { WireRequest, WireResponse } from '../../transport/wire.ts'
import type { Codec, Target } from '../adapter.ts'
import { notAnAnswer, readAnswer, textOf } from '../answer.ts'
import { defaultsOf, unlessSettled } from '../body-defaults.ts'
import { bodyText, looksLikeHtml } from '../error-facts.ts'
import { encodeForm } from '../multipart.ts'
import { relayBody } from './relay.ts'
import { modelName, type Surface } from './surface.ts'

const EXPECTED = 'a transcript in "text"'

/** Transcriptions (https://platform.openai.com/docs/api-reference/audio/createTranscription). */
export function transcriptionCodec(surface: Surface): Codec<'audio_transcription'> {
  return {
    encode: (request, target) => postForm(surface, request, target),
    decode: decodeTranscript,
    relay: relayBody(surface, 'audio_transcription'),
    sides: { audio_translation: relayBody(surface, 'audio_translation') },
  }
}

function postForm(surface: Surface, request: TranscriptionRequest, target: Target): WireRequest {
  const defaults = unlessSettled(
    defaultsOf('audio_transcription', target.bodyDefaults),
    (key) => key in request.fields,
  )
  const texts = Object.entries(defaults).map(([name, value]): readonly [string, string] => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ])
  const form = encodeForm(
    [['model', modelName(surface, target, 'audio_transcription')], ...texts, ...fieldTexts(request.fields)],
    request.file,
  )
  return {
    method: 'POST',
    url: surface.url(target, 'audio_transcription'),
    headers: { accept: 'application/json', 'content-type': form.contentType },
    body: form.body,
  }
}

/** Lists as OpenAI's clients write them: several fields of one name, with brackets. */
function fieldTexts(fields: TranscriptionRequest['fields']): readonly (readonly [string, string])[] {
  return Object.entries(fields).flatMap(([name, value]): readonly (readonly [string, string])[] =>
    typeof value === 'string' ? [[name, value]] : value.map((each) => [`${name}[]`, each]),
  )
}

/** Silence is transcribed as "": the text may be empty, not absent. `response_format: text` answers bare text. */
function decodeTranscript(response: WireResponse): { readonly text: string } {
  const bare = bodyText(response)
  if (/^text\/(plain|vtt|srt)/.test(response.headers['content-type'] ?? '') && !/^\s*[{[]/.test(bare)) {
    if (looksLikeHtml(bare))
      throw new GatewayError('wrong_shape', `answered ${response.status} with a web page`)
    if (response.body.length === 0)
      throw new GatewayError('empty', `answered ${response.status} with an empty body`)
    return { text: bare }
  }
  const body = readAnswer(response, EXPECTED)
  const text = textOf(body['text'])
  if (text === undefined) throw notAnAnswer(response, body, EXPECTED)
  return { text }
}
