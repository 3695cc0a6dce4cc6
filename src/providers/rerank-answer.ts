import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import type { RerankResponse } from '../core/mode.ts'
import type { WireResponse } from '../transport/wire.ts'
import { notAnAnswer, readAnswer } from './answer.ts'

const EXPECTED = 'numbers in "results[0].index" and "results[0].relevance_score"'

/** Rerank has one answer everywhere, Cohere's (https://docs.cohere.com/reference/rerank). */
export function decodeRerank(response: WireResponse): RerankResponse {
  const body = readAnswer(response, EXPECTED)
  const listed = body['results']
  const results = Array.isArray(listed) ? listed.flatMap(readResult) : []
  if (results.length === 0) throw notAnAnswer(response, body, EXPECTED)
  return { results }
}

function readResult(value: Json): RerankResponse['results'][number][] {
  const result: JsonObject = isJsonObject(value) ? value : {}
  const index = result['index']
  const score = result['relevance_score']
  return typeof index === 'number' && typeof score === 'number' ? [{ index, relevance_score: score }] : []
}
