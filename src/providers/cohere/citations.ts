import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { textOf } from '../answer.ts'

/**
 * Cohere's citations beside the text: as they came, for no client is to lose what they say of documents and tools, and
 * as OpenAI's `annotations` where a source has an address (https://docs.cohere.com/docs/documents-and-citations).
 */
export function citedIn(listed: Json | undefined): JsonObject {
  const citations = (Array.isArray(listed) ? listed : [listed]).filter(isJsonObject)
  if (citations.length === 0) return {}
  const annotations = citations.flatMap(annotationsOf)
  return { citations, ...(annotations.length === 0 ? {} : { annotations }) }
}

function annotationsOf(citation: JsonObject): readonly JsonObject[] {
  const sources = Array.isArray(citation['sources']) ? citation['sources'].filter(isJsonObject) : []
  return sources.flatMap((source) => {
    const document = isJsonObject(source['document']) ? source['document'] : {}
    const url = textOf(document['url'])
    if (url === undefined) return []
    const title = textOf(document['title']) ?? textOf(source['id']) ?? ''
    const { start = 0, end = 0 } = citation
    return [{ type: 'url_citation', url_citation: { start_index: start, end_index: end, url, title } }]
  })
}

/** Cohere gives one probability for each of a text's tokens; OpenAI's form has a token and its own. */
export function logprobsOf(listed: Json | undefined): JsonObject | null {
  const items = (Array.isArray(listed) ? listed : [listed]).filter(isJsonObject)
  if (items.length === 0) return null
  const content = items.map((item) => {
    const token = textOf(item['text']) ?? ''
    const each = Array.isArray(item['logprobs']) ? item['logprobs'] : []
    const logprob = each.reduce<number>((sum, one) => sum + (typeof one === 'number' ? one : 0), 0)
    return { token, logprob, bytes: [...Buffer.from(token)], top_logprobs: [] }
  })
  return { content, refusal: null }
}
