import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { numberOf, textOf } from '../answer.ts'

/**
 * Where an answer comes from, as OpenAI's `annotations`: what grounds it
 * (https://ai.google.dev/gemini-api/docs/google-search), and what it quotes. Google counts bytes, OpenAI characters.
 */
export function annotationsOf(candidate: JsonObject, text: string): readonly JsonObject[] {
  return [...grounded(candidate['groundingMetadata'], text), ...quoted(candidate['citationMetadata'], text)]
}

function grounded(metadata: Json | undefined, text: string): readonly JsonObject[] {
  if (!isJsonObject(metadata)) return []
  const sources = listOf(metadata['groundingChunks']).map(sourceOf)
  return listOf(metadata['groundingSupports']).flatMap((support) => {
    const segment = support['segment']
    if (!isJsonObject(segment)) return []
    const place = placeOf(segment, text)
    const indices = support['groundingChunkIndices']
    const cited: readonly Json[] = Array.isArray(indices) ? indices : []
    return cited.flatMap((index) => {
      const source = typeof index === 'number' ? sources[index] : undefined
      return source === undefined ? [] : [citation(place, source)]
    })
  })
}

function quoted(metadata: Json | undefined, text: string): readonly JsonObject[] {
  if (!isJsonObject(metadata)) return []
  const listed = listOf(metadata['citations'])
  return (listed.length > 0 ? listed : listOf(metadata['citationSources'])).flatMap((one) => {
    const url = textOf(one['uri'])
    if (url === undefined) return []
    return [citation(placeOf(one, text), { url, title: textOf(one['title']) ?? url })]
  })
}

interface Source {
  readonly url: string
  readonly title: string
}

/** A page, a document of the user's own, or a place on the map. */
function sourceOf(chunk: JsonObject): Source | undefined {
  const held = [chunk['web'], chunk['retrievedContext'], chunk['maps']].find(isJsonObject)
  const url = held === undefined ? undefined : textOf(held['uri'])
  return held === undefined || url === undefined ? undefined : { url, title: textOf(held['title']) ?? url }
}

interface Place {
  readonly start: number
  readonly end: number
}

function citation({ start, end }: Place, { url, title }: Source): JsonObject {
  return { type: 'url_citation', url_citation: { start_index: start, end_index: end, url, title } }
}

/** From bytes to characters; a segment that names its text is looked for where its bytes are not that text. */
function placeOf(segment: JsonObject, text: string): Place {
  const bytes = Buffer.from(text)
  const from = numberOf(segment['startIndex']) ?? 0
  const to = numberOf(segment['endIndex']) ?? bytes.length
  const start = bytes.subarray(0, from).toString().length
  const said = bytes.subarray(from, to).toString()
  const words = textOf(segment['text'])
  const found = words === undefined || words === said ? -1 : text.indexOf(words)
  if (words !== undefined && found >= 0) return { start: found, end: found + words.length }
  return { start, end: start + said.length }
}

function listOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}
