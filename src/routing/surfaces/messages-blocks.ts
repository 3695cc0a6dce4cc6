import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { refuse } from '../request/request.ts'
import { memberOf, objectsOf, present, textOf } from './read-json.ts'
import type { WordsGround } from './surface.ts'

/** The system prompt, text or blocks of text; undefined where there is none. */
export function systemMessage(system: Json | undefined): JsonObject | undefined {
  if (system === undefined || system === null || system === '') return undefined
  if (typeof system === 'string') return { role: 'system', content: system }
  const content = objectsOf(system, 'system').map(({ text }) => textPart(textOf(text) ?? ''))
  return content.length === 0 ? undefined : { role: 'system', content }
}

/** A user's turn: results of tools first, as OpenAI wants them, each a message of its own. */
export function userMessages(content: Json | undefined, path: string): readonly JsonObject[] {
  if (typeof content === 'string') return [{ role: 'user', content }]
  const blocks = objectsOf(content, `${path}.content`)
  const results = blocks.filter(({ type }) => type === 'tool_result')
  const read = results.map((block) => toolResult(block, path))
  const parts = [
    ...read.flatMap(({ pictures }) => pictures),
    ...blocks.filter(({ type }) => type !== 'tool_result').flatMap((block) => partsOf(block, path)),
  ]
  const said = parts.length === 0 ? [] : [{ role: 'user', content: parts }]
  return [...read.map(({ message }) => message), ...said]
}

/** An assistant's turn. What it thought is its own provider's to read, and goes where the neutral form has a place. */
export function assistantMessage(
  content: Json | undefined,
  path: string,
  { isRelayed }: WordsGround,
): readonly JsonObject[] {
  if (typeof content === 'string') return [{ role: 'assistant', content }]
  const blocks = objectsOf(content, `${path}.content`)
  const texts = blocks.filter(({ type }) => type === 'text').map(({ text }) => textOf(text) ?? '')
  const calls = blocks.filter(({ type }) => type === 'tool_use')
  const thoughts = blocks.filter(({ type }) => type === 'thinking' || type === 'redacted_thinking')
  const strange = blocks.find(({ type }) => !ASSISTANT_TYPES.has(textOf(type) ?? ''))
  if (strange !== undefined) throw untold(strange, path)
  const message = present({
    role: 'assistant',
    content: texts.length > 0 ? texts.join('') : null,
    tool_calls: calls.length > 0 ? calls.map(toolCall) : undefined,
    thinking_blocks: thoughts.length > 0 && !isRelayed ? thoughts : undefined,
  })
  // A turn of thoughts alone says nothing to who cannot read them.
  return texts.length + calls.length > 0 || message['thinking_blocks'] !== undefined ? [message] : []
}

const ASSISTANT_TYPES: ReadonlySet<string> = new Set(['text', 'tool_use', 'thinking', 'redacted_thinking'])

function toolCall({ id, name, input }: JsonObject): JsonObject {
  return { id, type: 'function', function: { name, arguments: JSON.stringify(input ?? {}) } }
}

/** The text of a tool's result, and what of it OpenAI's tool messages cannot hold: the user shows it then. */
function toolResult(
  { tool_use_id: id, content, is_error: isError }: JsonObject,
  path: string,
): { readonly message: JsonObject; readonly pictures: readonly JsonObject[] } {
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content, path)
  const parts = blocks.flatMap((block) => partsOf(block, path))
  const texts = parts.flatMap(({ type, text }) => (type === 'text' ? [textOf(text) ?? ''] : []))
  const pictures = parts.filter(({ type }) => type !== 'text')
  const said = texts.join('\n')
  const message = {
    role: 'tool',
    tool_call_id: id,
    content: isError === true ? `Error: ${said}` : said,
  }
  return { message, pictures }
}

function listOf(content: Json | undefined, path: string): readonly JsonObject[] {
  return content === undefined || content === null ? [] : objectsOf(content, `${path}.content`)
}

function partsOf(block: JsonObject, path: string): readonly JsonObject[] {
  switch (block['type']) {
    case 'text':
      return [textPart(textOf(block['text']) ?? '')]
    case 'image':
      return [{ type: 'image_url', image_url: { url: urlOf(block, path) } }]
    case 'document':
      return documentParts(block, path)
    case 'search_result':
      return [textPart(searchText(block, path))]
    default:
      throw untold(block, path)
  }
}

function textPart(text: string): JsonObject {
  return { type: 'text', text }
}

function documentParts(block: JsonObject, path: string): readonly JsonObject[] {
  const { source, title } = block
  switch (memberOf(source, 'type')) {
    case 'text':
      return [textPart(textOf(memberOf(source, 'data')) ?? '')]
    case 'content': {
      const content = memberOf(source, 'content')
      const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content, path)
      return blocks.flatMap((each) => partsOf(each, path))
    }
    default: {
      const filename = textOf(title) ?? 'document.pdf'
      return [{ type: 'file', file: { filename, file_data: urlOf(block, path) } }]
    }
  }
}

function searchText({ title, source, content }: JsonObject, path: string): string {
  const texts = listOf(content, path).map(({ text }) => textOf(text) ?? '')
  return [textOf(title), textOf(source), ...texts].filter((each) => each !== undefined).join('\n')
}

/** A base64 source as a `data:` URL, or the address of another. */
function urlOf({ type, source }: JsonObject, path: string): string {
  if (!isJsonObject(source))
    throw refuse(`'${path}.content': a block of type ${textOf(type)} has no source.`, 'messages')
  const { type: kind, url, media_type: media, data } = source
  if (kind === 'url' && typeof url === 'string') return url
  if (kind === 'base64' && typeof data === 'string') return `data:${textOf(media) ?? ''};base64,${data}`
  throw refuse(
    `'${path}.content': a source of type ${textOf(kind)?.slice(0, 64) ?? 'none'} lives at Anthropic; this deployment's provider needs base64 or a URL.`,
    'messages',
  )
}

function untold({ type }: JsonObject, path: string): ReturnType<typeof refuse> {
  const name = textOf(type)?.slice(0, 64) ?? 'none'
  return refuse(
    `'${path}.content': a block of type '${name}' cannot be said to this deployment's provider.`,
    'messages',
  )
}
