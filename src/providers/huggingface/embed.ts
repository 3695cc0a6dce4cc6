import { parseJson } from '../../core/json.ts'
import type { Json } from '../../core/json.ts'
import type { EmbeddingResponse } from '../../core/mode.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Codec, Target } from '../adapter.ts'
import { notAnAnswer, readAnswer } from '../answer.ts'
import { withDefaults } from '../body-defaults.ts'
import { bodyText } from '../error-facts.ts'
import { embeddingCodec } from '../openai/embedding.ts'
import { postJson } from '../post-json.ts'
import { sayable } from '../unsaid.ts'
import { dimensions, vectorsOf } from '../vector.ts'
import { featuresUrl, isRouter, openAiUrl } from './address.ts'

const EXPECTED = 'a list of vectors'
const LACKS: ReadonlySet<string> = new Set(['encoding_format', 'input_type', 'user'])
/** Of sizes the router's pipelines say nothing. */
const ROUTER_LACKS: ReadonlySet<string> = new Set([...LACKS, 'dimensions'])

/** An endpoint that is written with `/v1` speaks OpenAI's words (text-embeddings-inference). */
const OPENAIS = embeddingCodec({ url: (target) => openAiUrl(target, 'embedding') })
const speaksOpenAi = ({ base }: Target): boolean =>
  /\/v1(\/embeddings)?$/.test(base) && !base.includes('router.huggingface.co')

/**
 * Features: the router's pipelines (https://huggingface.co/docs/inference-providers/tasks/feature-extraction), and
 * text-embeddings-inference, which takes a size since its version 1.8
 * (https://github.com/huggingface/text-embeddings-inference/pull/676; both read 2026-11-27).
 */
export const huggingFaceEmbed: Codec<'embedding'> = {
  encode: (request, target) => {
    if (speaksOpenAi(target)) return OPENAIS.encode(request, target)
    const { encoding_format: _, ...asked } = withDefaults('embedding', request, target.bodyDefaults)
    const { said, dropped } = sayable(asked, isRouter(target) ? ROUTER_LACKS : LACKS)
    const { input, model: __, ...rest } = said
    return { ...postJson(featuresUrl(target), { ...rest, inputs: input }), dropped }
  },
  decode: (response, target) =>
    speaksOpenAi(target) ? OPENAIS.decode(response, target) : decode(response, target),
}

/** One vector a text; models that were not made for sentences give one a token, which is no embedding of the text. */
function decode(response: WireResponse, target: Target): EmbeddingResponse {
  const listed = parseJson(bodyText(response))
  if (!Array.isArray(listed)) throw notAnAnswer(response, readAnswer(response, EXPECTED), EXPECTED)
  const rows: readonly Json[] = typeof listed[0] === 'number' ? [listed] : listed
  const vectors = vectorsOf(rows)
  const size = dimensions(vectors?.[0])
  if (vectors === undefined || size === 0) throw notAnAnswer(response, listed, EXPECTED)
  return { dimensions: size, model: target.model, vectors }
}
