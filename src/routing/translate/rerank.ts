import type { Json, JsonObject } from '../../core/json.ts'
import { isJsonObject } from '../../core/json.ts'
import type { Translation } from '../request/operation.ts'
import { refuse } from '../request/request.ts'

/** Rerank: Cohere's form is the one that all clients know (https://docs.cohere.com/reference/rerank). */
export const RERANK_TRANSLATION: Translation<'rerank'> = {
  read: (body) => {
    const { query, documents } = body
    if (typeof query !== 'string') throw refuse("'query' must be a text.", 'query')
    const texts = Array.isArray(documents) ? documents.map(textOf) : []
    if (texts.length === 0) throw refuse("'documents' must be a list that is not empty.", 'documents')
    return { ...body, query, documents: texts }
  },
  answer: ({ results, whole }, request) => {
    const answer = firstOf(whole ?? { results }, request['top_n'])
    return request['return_documents'] === true ? withDocuments(answer, request.documents) : answer
  },
  isWanted: () => true,
}

function textOf(document: Json): string {
  if (typeof document === 'string') return document
  const text = isJsonObject(document) ? document['text'] : undefined
  if (typeof text !== 'string')
    throw refuse("every document must be a text, or an object with a 'text'.", 'documents')
  return text
}

/** Not every provider can be told to stop at so many. */
function firstOf(answer: JsonObject, most: Json | undefined): JsonObject {
  const { results } = answer
  if (!Array.isArray(results) || typeof most !== 'number' || results.length <= most) return answer
  return { ...answer, results: results.slice(0, most) }
}

/** Where the provider does not say them again, we do. */
function withDocuments(answer: JsonObject, documents: readonly string[]): JsonObject {
  const { results } = answer
  if (!Array.isArray(results)) return answer
  return { ...answer, results: results.map((result: Json) => told(result, documents)) }
}

function told(result: Json, documents: readonly string[]): Json {
  if (!isJsonObject(result) || isJsonObject(result['document'])) return result
  const at = result['index']
  const text = typeof at === 'number' ? documents[at] : undefined
  return text === undefined ? result : { ...result, document: { text } }
}
