import { entryOf } from '../../core/entry-of.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { Codec } from '../adapter.ts'
import { notAnAnswer, numberOf, readAnswer } from '../answer.ts'
import { withDefaults } from '../body-defaults.ts'
import { postJson } from '../post-json.ts'
import { dimensions, vectorsOf } from '../vector.ts'
import { AI_STUDIO } from './surface.ts'

const EXPECTED = 'numbers in "embeddings[0].values"'

/** What texts are embedded for, in Cohere's words, which LiteLLM's users write, and in Google's. */
const TASKS: Readonly<Record<string, string>> = {
  search_document: 'RETRIEVAL_DOCUMENT',
  search_query: 'RETRIEVAL_QUERY',
  classification: 'CLASSIFICATION',
  clustering: 'CLUSTERING',
}

/** What one text is embedded as; the rest of a request; and what could not be said. */
export interface Embedding {
  readonly texts: readonly string[]
  readonly task?: string
  readonly size?: Json
  readonly title?: Json
  readonly rest: JsonObject
}

/** OpenAI's embedding request, taken apart. `encoding_format` is settled on the way back. */
export function readEmbedding(filled: JsonObject): Embedding {
  const {
    input,
    model: _,
    user: __,
    encoding_format: ___,
    dimensions: size,
    input_type: type,
    task_type: task = filled['taskType'] ?? type,
    taskType: ____,
    title,
    ...rest
  } = filled
  const texts: readonly Json[] = Array.isArray(input) ? input : [input ?? '']
  return {
    texts: texts.filter((text): text is string => typeof text === 'string'),
    ...(typeof task === 'string' && { task: entryOf(TASKS, task) ?? task }),
    ...(size !== undefined && size !== null && { size }),
    ...(title !== undefined && { title }),
    rest,
  }
}

/** Embeddings (https://ai.google.dev/api/embeddings): one request for each text, all of them at once. */
export const geminiEmbed: Codec<'embedding'> = {
  encode: (request, target) => {
    const filled = withDefaults('embedding', request, target.bodyDefaults)
    const { texts, task, size, title, rest } = readEmbedding(filled)
    const shared = {
      ...(task !== undefined && { taskType: task }),
      ...(title !== undefined && { title }),
      ...(size !== undefined && { outputDimensionality: size }),
    }
    const model = AI_STUDIO.name(target)
    const requests = texts.map((text) => Object.assign({ model, content: { parts: [{ text }] } }, shared))
    return postJson(AI_STUDIO.url(target, 'batchEmbedContents'), { ...rest, requests })
  },
  decode: (response, target) => {
    const body = readAnswer(response, EXPECTED)
    const listed = body['embeddings']
    const found: readonly Json[] = Array.isArray(listed) ? listed : []
    const vectors = vectorsOf(found.map((one) => (isJsonObject(one) ? (one['values'] ?? null) : null)))
    const size = dimensions(vectors?.[0])
    if (vectors === undefined || size === 0) throw notAnAnswer(response, body, EXPECTED)
    return { dimensions: size, model: target.model, vectors, ...countOf(body['usageMetadata']) }
  },
}

function countOf(metadata: Json | undefined): { readonly usage?: JsonObject } {
  const count = isJsonObject(metadata) ? numberOf(metadata['promptTokenCount']) : undefined
  return count === undefined ? {} : { usage: { prompt_tokens: count, total_tokens: count } }
}
