import { entryOf } from '../../core/entry-of.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { isDeeperThan, isJsonObject } from '../../core/json.ts'
import type { Translation } from '../request/operation.ts'
import { refuse } from '../request/request.ts'
import { yamlText } from './yaml-text.ts'

/** Rerank: Cohere's form is the one that all clients know (https://docs.cohere.com/reference/rerank). */
export const RERANK_TRANSLATION: Translation<'rerank'> = {
  read: (body) => {
    const { query, documents, rank_fields: fields, ...rest } = body
    if (typeof query !== 'string') throw refuse("'query' must be a text.", 'query')
    const texts = Array.isArray(documents) ? documents.map((one: Json) => textOf(one, fields)) : []
    if (texts.length === 0) throw refuse("'documents' must be a list that is not empty.", 'documents')
    return { ...rest, query, documents: texts }
  },
  answer: ({ results, whole }, request) => {
    const answer = firstOf(whole ?? { results }, request['top_n'])
    return request['return_documents'] === true ? withDocuments(answer, request.documents) : answer
  },
  isWanted: () => true,
}

/**
 * Of an object what counts are its members that `rank_fields` names, else its `text`, else all of them; several are said
 * as YAML (https://docs.cohere.com/docs/rerank-overview, …/reranking, read 2026-11-27).
 */
function textOf(document: Json, fields: Json | undefined): string {
  if (typeof document === 'string') return document
  if (!isJsonObject(document)) throw refuse('every document must be a text or an object.', 'documents')
  if (isDeeperThan(MAX_LEVELS, document))
    throw refuse(`no document may be more than ${MAX_LEVELS} levels deep.`, 'documents')
  const { text } = document
  if (!Array.isArray(fields) && typeof text === 'string') return text
  const counted = Array.isArray(fields) ? membersOf(document, fields) : document
  if (Object.keys(counted).length > 0) return yamlText(counted)
  throw refuse(
    Array.isArray(fields)
      ? "every document must have a member that 'rank_fields' names."
      : "every document must be a text, or an object with a 'text' or other members.",
    'documents',
  )
}

/** YAML writes the levels before each value: deep ones would become many times as long. */
const MAX_LEVELS = 16

function membersOf(document: JsonObject, fields: readonly Json[]): JsonObject {
  const named = fields.flatMap((name) => (typeof name === 'string' ? [name] : []))
  return Object.fromEntries(
    named.flatMap((name): [string, Json][] => {
      const value = entryOf(document, name)
      return value === undefined ? [] : [[name, value]]
    }),
  )
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
