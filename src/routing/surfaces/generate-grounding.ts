import type { Json, JsonObject } from '../../core/json.ts'
import { memberOf, textOf } from './read-json.ts'

/**
 * What an answer cites (https://ai.google.dev/api/generate-content#GroundingMetadata); undefined where that is nothing.
 * Google counts places in bytes, a chat in characters.
 */
export function groundingMetadata(annotations: Json | undefined, text: string): JsonObject | undefined {
  if (!Array.isArray(annotations)) return undefined
  const chunks: JsonObject[] = []
  const supports: JsonObject[] = []
  for (const annotation of annotations) {
    const citation = memberOf(annotation, 'url_citation')
    const uri = textOf(memberOf(citation, 'url'))
    if (uri === undefined) continue
    const title = textOf(memberOf(citation, 'title')) ?? uri
    chunks.push({ web: { uri, title } })
    const segment = segmentOf(memberOf(citation, 'start_index'), memberOf(citation, 'end_index'), text)
    if (segment !== undefined) supports.push({ segment, groundingChunkIndices: [chunks.length - 1] })
  }
  return chunks.length === 0 ? undefined : { groundingChunks: chunks, groundingSupports: supports }
}

function segmentOf(start: Json | undefined, end: Json | undefined, text: string): JsonObject | undefined {
  if (typeof start !== 'number' || typeof end !== 'number' || end <= start || end > text.length)
    return undefined
  const startIndex = Buffer.byteLength(text.slice(0, start))
  const said = text.slice(start, end)
  return { startIndex, endIndex: startIndex + Buffer.byteLength(said), text: said }
}
