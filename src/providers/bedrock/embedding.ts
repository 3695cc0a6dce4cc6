import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { EmbeddingRequest } from '../../core/mode.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Codec } from '../adapter.ts'
import { notAnAnswer, numberOf, readAnswer } from '../answer.ts'
import { withDefaults } from '../body-defaults.ts'
import { postJson } from '../post-json.ts'
import { dimensions, vectorsOf } from '../vector.ts'
import { unsayable } from './content.ts'
import { modelName, modelUrl } from './model-id.ts'

const EXPECTED = 'numbers in "embedding" or "embeddings"'
/** OpenAI's members that change no vector, or that we see to ourselves. */
const SAID = new Set(['input', 'model', 'encoding_format', 'user', 'dimensions'])

/** Embeddings by InvokeModel, in each family's own words. */
export const bedrockEmbedding: Codec<'embedding'> = {
  encode: (request, target) => {
    const filled = withDefaults('embedding', request, target.bodyDefaults)
    const rest = Object.fromEntries(Object.entries(filled).filter(([key]) => !SAID.has(key)))
    const { body, dropped = [] } = bodyFor(modelName(target.model), request, filled['dimensions'], rest)
    return { ...postJson(modelUrl(target.base, target.model, 'invoke'), body), dropped }
  },
  decode: (response, target) => {
    const body = readAnswer(response, EXPECTED)
    const vectors = vectorsOf(listedVectors(body))
    const size = dimensions(vectors?.[0])
    if (vectors === undefined || size === 0) throw notAnAnswer(response, body, EXPECTED)
    return { dimensions: size, model: target.model, vectors, ...usageOf(body, response) }
  },
}

interface Said {
  readonly body: JsonObject
  readonly dropped?: readonly string[]
}

function bodyFor(name: string, request: EmbeddingRequest, size: Json | undefined, rest: JsonObject): Said {
  if (name.startsWith('cohere.embed')) return cohereBody(request, size, rest)
  const [text, ...more] = request.input
  if (text === undefined || more.length > 0)
    throw unsayable(`this model embeds one text a request, not ${request.input.length}`, 'input')
  if (name.startsWith('amazon.nova')) return novaBody(text, size, rest)
  if (name.startsWith('amazon.titan-embed-image')) {
    const config = size === undefined ? {} : { embeddingConfig: { outputEmbeddingLength: size } }
    return { body: { ...config, ...rest, inputText: text } }
  }
  if (name.startsWith('amazon.titan-embed-text-v1'))
    return { body: { ...rest, inputText: text }, dropped: size === undefined ? [] : ['dimensions'] }
  // Titan's second version, and whatever stands behind a name that tells nothing.
  return { body: { ...(size === undefined ? {} : { dimensions: size }), ...rest, inputText: text } }
}

/** https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html; version 4 alone has a size to choose. */
function cohereBody({ input }: EmbeddingRequest, size: Json | undefined, rest: JsonObject): Said {
  const chosen = size === undefined ? {} : { output_dimension: size }
  return { body: { input_type: 'search_document', ...chosen, ...rest, texts: input } }
}

/** https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html */
function novaBody(text: string, size: Json | undefined, rest: JsonObject): Said {
  const params = {
    embeddingPurpose: 'GENERIC_INDEX',
    ...(size === undefined ? {} : { embeddingDimension: size }),
    ...rest,
    text: { truncationMode: 'END', value: text },
  }
  return { body: { taskType: 'SINGLE_EMBEDDING', singleEmbeddingParams: params } }
}

/** Titan's one vector; Cohere's list, or lists by type; Nova's list of objects. */
function listedVectors({ embedding, embeddings }: JsonObject): readonly Json[] {
  if (Array.isArray(embedding)) return [embedding]
  if (Array.isArray(embeddings))
    return embeddings.map((one: Json) => (isJsonObject(one) ? (one['embedding'] ?? []) : one))
  if (!isJsonObject(embeddings)) return []
  const byType = [embeddings['float'], ...Object.values(embeddings)].find(
    (list) => Array.isArray(list) && list.length > 0,
  )
  return Array.isArray(byType) ? byType : []
}

/** Titan counts in its answer, Bedrock for all in a header. */
function usageOf(body: JsonObject, { headers }: WireResponse): { readonly usage?: JsonObject } {
  const counted = numberOf(body['inputTextTokenCount']) ?? Number(headers['x-amzn-bedrock-input-token-count'])
  return Number.isSafeInteger(counted) ? { usage: { prompt_tokens: counted, total_tokens: counted } } : {}
}
