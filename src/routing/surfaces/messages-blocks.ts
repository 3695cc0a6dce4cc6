import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { refuse } from '../request/request.ts'
import { memberOf, objectsOf, present, textOf } from './read-json.ts'
import type { WordsGround } from './surface.ts'

/** The system prompt, text or blocks of text; undefined where there is none. */
export function systemMessage(system: Json | undefined, ground: WordsGround): JsonObject | undefined {
  if (system === undefined || system === null || system === '') return undefined
  if (typeof system === 'string') return { role: 'system', content: system }
  const content = objectsOf(system, 'system').map((block) => textPart(block, ground))
  return content.length === 0 ? undefined : { role: 'system', content }
}

/** A user's turn: results of tools first, as OpenAI wants them, each a message of its own. */
export function userMessages(
  content: Json | undefined,
  path: string,
  ground: WordsGround,
): readonly JsonObject[] {
  if (typeof content === 'string') return [{ role: 'user', content }]
  const blocks = objectsOf(content, `${path}.content`)
  const results = blocks.filter(({ type }) => type === 'tool_result')
  const read = results.map((block) => toolResult(block, path, ground))
  const parts = [
    ...read.flatMap(({ pictures }) => pictures),
    ...blocks.filter(({ type }) => type !== 'tool_result').flatMap((block) => partsOf(block, path, ground)),
  ]
  const said = parts.length === 0 ? [] : [{ role: 'user', content: parts }]
  return [...read.map(({ message }) => message), ...said]
}

/** An assistant's turn. What it thought is its own provider's to read, and goes where the neutral form has a place. */
export function assistantMessage(
  content: Json | undefined,
  path: string,
  ground: WordsGround,
): readonly JsonObject[] {
  if (typeof content === 'string') return [{ role: 'assistant', content }]
  const blocks = objectsOf(content, `${path}.content`)
  const texts = blocks.filter(({ type }) => type === 'text')
  const calls = blocks.filter(({ type }) => type === 'tool_use')
  const thoughts = blocks.filter(({ type }) => type === 'thinking' || type === 'redacted_thinking')
  const strange = blocks.find(({ type }) => !ASSISTANT_TYPES.has(textOf(type) ?? ''))
  if (strange !== undefined) throw untold(strange, path)
  const message = present({
    role: 'assistant',
    content: texts.length > 0 ? spokenIn(texts, ground) : null,
    tool_calls: calls.length > 0 ? calls.map((call) => toolCall(call, ground)) : undefined,
    thinking_blocks: thoughts.length > 0 && !ground.isRelayed ? thoughts : undefined,
  })
  // A turn of thoughts alone says nothing to who cannot read them.
  return texts.length + calls.length > 0 || message['thinking_blocks'] !== undefined ? [message] : []
}

const ASSISTANT_TYPES: ReadonlySet<string> = new Set(['text', 'tool_use', 'thinking', 'redacted_thinking'])

/** One text, unless something is cached up to the end of one of several. */
function spokenIn(texts: readonly JsonObject[], ground: WordsGround): Json {
  const parts = texts.map((block) => textPart(block, ground))
  return parts.some((part) => part['cache_control'] !== undefined)
    ? parts
    : parts.map(({ text }) => textOf(text) ?? '').join('')
}

/** Where what is cached ends: the neutral form has a place for it, OpenAI's words do not. */
export function markOf({ cache_control: mark }: JsonObject, { isRelayed }: WordsGround): JsonObject {
  return isRelayed || !isJsonObject(mark) ? {} : { cache_control: mark }
}

function toolCall(block: JsonObject, ground: WordsGround): JsonObject {
  const { id, name, input } = block
  const called = { name, arguments: JSON.stringify(input ?? {}) }
  return { id, type: 'function', function: called, ...markOf(block, ground) }
}

/** The text of a tool's result, and what of it OpenAI's tool messages cannot hold: the user shows it then. */
function toolResult(
  block: JsonObject,
  path: string,
  ground: WordsGround,
): { readonly message: JsonObject; readonly pictures: readonly JsonObject[] } {
  const { tool_use_id: id, content, is_error: isError } = block
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content, path)
  const parts = blocks.flatMap((each) => partsOf(each, path, ground))
  const texts = parts.flatMap(({ type, text }) => (type === 'text' ? [textOf(text) ?? ''] : []))
  const pictures = parts.filter(({ type }) => type !== 'text')
  const said = texts.join('\n')
  const message = {
    role: 'tool',
    tool_call_id: id,
    content: isError === true ? `Error: ${said}` : said,
    ...markOf(blocks.findLast((each) => 'cache_control' in each) ?? {}, ground),
    ...markOf(block, ground),
  }
  return { message, pictures }
}

function listOf(content: Json | undefined, path: string): readonly JsonObject[] {
  return content === undefined || content === null ? [] : objectsOf(content, `${path}.content`)
}

function partsOf(block: JsonObject, path: string, ground: WordsGround): readonly JsonObject[] {
  switch (block['type']) {
    case 'text':
      return [textPart(block, ground)]
    case 'image':
      return [{ type: 'image_url', image_url: { url: urlOf(block, path) }, ...markOf(block, ground) }]
    case 'document':
      return documentParts(block, path, ground)
    case 'search_result':
      return [textPart({ ...block, text: searchText(block, path) }, ground)]
    default:
      throw untold(block, path)
  }
}

function textPart(block: JsonObject, ground: WordsGround): JsonObject {
  return { type: 'text', text: textOf(block['text']) ?? '', ...markOf(block, ground) }
}

/** A text is a text, under its title; everything else is a file. */
function documentParts(block: JsonObject, path: string, ground: WordsGround): readonly JsonObject[] {
  const { source, title, context, citations } = block
  const heading = joined([title, context])
  switch (memberOf(source, 'type')) {
    case 'text':
      return [textPart({ ...block, text: joined([heading, memberOf(source, 'data')]) }, ground)]
    case 'content': {
      const content = memberOf(source, 'content')
      const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content, path)
      const parts = blocks.flatMap((each) => partsOf(each, path, ground))
      const all = heading === '' ? parts : [textPart({ text: heading }, ground), ...parts]
      const last = all.at(-1)
      return last === undefined ? [] : [...all.slice(0, -1), { ...last, ...markOf(block, ground) }]
    }
    default: {
      const filename = textOf(title) ?? 'document.pdf'
      const file = { type: 'file', file: { filename, file_data: urlOf(block, path) } }
      return [ground.isRelayed ? file : present({ ...file, context, citations, ...markOf(block, ground) })]
    }
  }
}

function joined(texts: readonly (Json | undefined)[]): string {
  return texts
    .flatMap((text) => textOf(text) ?? [])
    .filter((text) => text !== '')
    .join('\n')
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
