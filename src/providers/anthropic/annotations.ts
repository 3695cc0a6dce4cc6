import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { textOf } from '../answer.ts'

/**
 * Anthropic's citations of one text block (https://platform.claude.com/docs/en/build-with-claude/citations) as OpenAI's
 * annotations, which say where in the whole text that block stands. Pages of the web become OpenAI's `url_citation`;
 * places in documents have no counterpart there and keep Anthropic's members.
 */
export function toAnnotations(
  citations: Json | undefined,
  start: number,
  end: number,
): readonly JsonObject[] {
  if (!Array.isArray(citations)) return []
  return citations.filter(isJsonObject).map((citation) => toAnnotation(citation, start, end))
}

function toAnnotation(citation: JsonObject, start: number, end: number): JsonObject {
  const url = textOf(citation['url']) ?? textOf(citation['source'])
  const place = { start_index: start, end_index: end }
  return url === undefined
    ? { type: 'file_citation', file_citation: { ...citation, ...place } }
    : { type: 'url_citation', url_citation: { url, title: textOf(citation['title']) ?? '', ...place } }
}
