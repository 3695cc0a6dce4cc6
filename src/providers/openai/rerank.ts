import type { Codec } from '../adapter.ts'
import { decodeRerank } from '../rerank-answer.ts'
import { relayBody } from './relay.ts'
import { postBody, type Surface } from './surface.ts'

/** Rerank as OpenAI-compatible servers took it over from Cohere: vLLM, Together, LiteLLM. */
export function rerankCodec(surface: Surface): Codec<'rerank'> {
  return {
    encode: (request, target) => postBody(surface, 'rerank', request, target),
    decode: decodeRerank,
    relay: relayBody(surface, 'rerank'),
  }
}
