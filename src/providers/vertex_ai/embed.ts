import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { EmbeddingResponse } from '../../core/mode.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Codec, Target } from '../adapter.ts'
import { notAnAnswer, numberOf, readAnswer } from '../answer.ts'
import { withDefaults } from '../body-defaults.ts'
import { readEmbedding, type Embedding } from '../gemini/embed.ts'
import { unsayable } from '../gemini/surface.ts'
import { postJson } from '../post-json.ts'
import { dimensions, vectorsOf } from '../vector.ts'
import { VERTEX } from './address.ts'
import { vertexModel } from './model-name.ts'
import { OPEN_EMBEDDING } from './open-models.ts'

/**
 * Embeddings: `:predict` with many texts
 * (https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api), and for the multimodal
 * models after `gemini-embedding-001` `:embedContent` with one; other publishers' in OpenAI's words.
 */
export const vertexEmbed: Codec<'embedding'> = {
  encode: (request, target) => {
    if (isOpen(target)) return OPEN_EMBEDDING.encode(request, target)
    const wanted = readEmbedding(withDefaults('embedding', request, target.bodyDefaults))
    return isContentModel(target)
      ? postJson(VERTEX.url(target, 'embedContent'), contentBody(wanted))
      : postJson(VERTEX.url(target, 'predict'), predictBody(wanted))
  },
  decode: (response, target) => {
    if (isOpen(target)) return OPEN_EMBEDDING.decode(response, target)
    return isContentModel(target) ? readContent(response, target) : readPredictions(response, target)
  },
  ...(OPEN_EMBEDDING.relay !== undefined && { relay: OPEN_EMBEDDING.relay }),
  isRelayed: isOpen,
}

/** A model of another publisher; what somebody deployed takes predictions. */
function isOpen({ model }: Target): boolean {
  const { words, name } = vertexModel(model)
  return words === 'openai' && name !== ''
}

function isContentModel({ model }: Target): boolean {
  return model.includes('gemini-embedding') && !model.includes('gemini-embedding-001')
}

function predictBody({ texts, task, size, title, rest }: Embedding): JsonObject {
  const { truncate, auto_truncate: auto = truncate, autoTruncate = auto, ...others } = rest
  const parameters = {
    ...(size !== undefined && { outputDimensionality: size }),
    ...(typeof autoTruncate === 'boolean' && { autoTruncate }),
  }
  return {
    ...others,
    instances: texts.map((content) => ({
      content,
      ...(task !== undefined && { task_type: task }),
      ...(title !== undefined && { title }),
    })),
    ...(Object.keys(parameters).length > 0 && { parameters }),
  }
}

function contentBody({ texts, task, size, title, rest }: Embedding): JsonObject {
  const [text, ...others] = texts
  if (text === undefined || others.length > 0)
    throw unsayable("'input' must be one text: this model embeds one a request.", 'input')
  const config = {
    ...(task !== undefined && { taskType: task }),
    ...(title !== undefined && { title }),
    ...(size !== undefined && { outputDimensionality: size }),
  }
  return {
    ...rest,
    content: { parts: [{ text }] },
    ...(Object.keys(config).length > 0 && { embedContentConfig: config }),
  }
}

const EXPECTED = 'numbers in "predictions[0].embeddings.values"'

function readPredictions(response: WireResponse, target: Target): EmbeddingResponse {
  const body = readAnswer(response, EXPECTED)
  const listed = body['predictions']
  const found: readonly Json[] = Array.isArray(listed) ? listed : []
  const embeddings = found.map((one) => (isJsonObject(one) ? one['embeddings'] : undefined))
  const vectors = vectorsOf(embeddings.map((one) => (isJsonObject(one) ? (one['values'] ?? null) : null)))
  const size = dimensions(vectors?.[0])
  if (vectors === undefined || size === 0) throw notAnAnswer(response, body, EXPECTED)
  const counts = embeddings.map((one) => {
    const statistics = isJsonObject(one) ? one['statistics'] : undefined
    return isJsonObject(statistics) ? (numberOf(statistics['token_count']) ?? 0) : 0
  })
  return { dimensions: size, model: target.model, vectors, ...usageOf(counts.reduce((a, b) => a + b, 0)) }
}

const CONTENT_EXPECTED = 'numbers in "embedding.values"'

function readContent(response: WireResponse, target: Target): EmbeddingResponse {
  const body = readAnswer(response, CONTENT_EXPECTED)
  const embedding = body['embedding']
  const vectors = vectorsOf([isJsonObject(embedding) ? (embedding['values'] ?? null) : null])
  const size = dimensions(vectors?.[0])
  if (vectors === undefined || size === 0) throw notAnAnswer(response, body, CONTENT_EXPECTED)
  const metadata = body['usageMetadata']
  const count = isJsonObject(metadata) ? numberOf(metadata['promptTokenCount']) : undefined
  return { dimensions: size, model: target.model, vectors, ...usageOf(count ?? 0) }
}

function usageOf(count: number): { readonly usage?: JsonObject } {
  return count === 0 ? {} : { usage: { prompt_tokens: count, total_tokens: count } }
}
