import { GatewayError } from '../../core/failure.ts'
import { memberValue } from '../../core/json-spans.ts'
import type { Codec } from '../adapter.ts'
import { transcriptionCodec } from '../openai/audio-transcription.ts'
import { relayBody } from '../openai/relay.ts'
import type { Surface } from '../openai/surface.ts'

/**
 * Transcripts (https://docs.mistral.ai/capabilities/audio_transcription, read 2026-11-27): OpenAI's form without
 * `response_format`, for they are always JSON, with segments in it. There are no translations.
 */
export function transcription(surface: Surface): Codec<'audio_transcription'> {
  const openAis = transcriptionCodec(surface)
  const face = relayBody(surface, 'audio_transcription')
  return {
    encode: (request, target) => {
      const { response_format: format, ...fields } = request.fields
      refuseUnlessJson(format)
      return openAis.encode({ ...request, fields }, target)
    },
    decode: (response, target) => openAis.decode(response, target),
    relay: {
      ...face,
      takes: (_, fields, spans) => {
        refuseUnlessJson(memberValue(fields, spans, 'response_format'))
        return true
      },
      edits: (target) => ({ ...face.edits(target), remove: ['response_format'] }),
    },
  }
}

function refuseUnlessJson(format: unknown): void {
  if (format === undefined || format === 'json' || format === 'verbose_json') return
  throw new GatewayError('bad_request', "Mistral's transcripts are JSON: leave response_format out", {
    param: 'response_format',
    source: 'client',
  })
}
