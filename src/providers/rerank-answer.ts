import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import type { RerankResponse } from '../core/mode.ts'
import type { WireResponse } from '../transport/wire.ts'
import { notAnAnswer, numberOf, readAnswer, textOf } from './answer.ts'

const EXPECTED = 'numbers in "results[0].index" and "results[0].relevance_score"'

/** Rerank has one answer everywhere, Cohere's (https://docs.cohere.com/reference/rerank). */
export function decodeRerank(response: WireResponse): RerankResponse {
  const body = readAnswer(response, EXPECTED)
  const listed = body['results']
  const results = Array.isArray(listed) ? listed.flatMap(readResult) : []
  if (results.length === 0) throw notAnAnswer(response, body, EXPECTED)
  return { results, whole: body }
}

function readResult(value: Json): RerankResponse['results'][number][] {
  const result: JsonObject = isJsonObject(value) ? value : {}
  const index = result['index']
  const score = result['relevance_score']
  return typeof index === 'number' && typeof score === 'number' ? [{ index, relevance_score: score }] : []
}

/** What a provider calls the list of results, and the score in each. */
export interface RankingWords {
  readonly list: string
  readonly score: string
}

/** Reads an answer of another form as Cohere's; a document that comes as a text becomes an object with it. */
export function toRerank(response: WireResponse, { list, score }: RankingWords): RerankResponse {
  const expected = `numbers in "${list}[0].index" and "${list}[0].${score}"`
  const body = readAnswer(response, expected)
  const listed = body[list]
  const whole = Array.isArray(listed) ? listed.flatMap((one: Json) => wholeResult(one, score)) : []
  if (whole.length === 0) throw notAnAnswer(response, body, expected)
  const id = textOf(body['id'])
  return {
    results: whole.flatMap(readResult),
    whole: { ...(id !== undefined && { id }), results: whole, ...metaOf(body['usage']) },
  }
}

function wholeResult(value: Json, score: string): JsonObject[] {
  const { index, [score]: relevance, document } = isJsonObject(value) ? value : {}
  if (typeof index !== 'number' || typeof relevance !== 'number') return []
  const said = typeof document === 'string' ? { text: document } : document
  return [{ index, relevance_score: relevance, ...(isJsonObject(said) && { document: said }) }]
}

/** Tokens where Cohere counts them. */
function metaOf(usage: Json | undefined): JsonObject {
  const tokens = isJsonObject(usage) ? numberOf(usage['total_tokens']) : undefined
  return tokens === undefined
    ? {}
    : { meta: { billed_units: { total_tokens: tokens }, tokens: { input_tokens: tokens } } }
}
