import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { refuse } from '../request/request.ts'
import { memberOf, objectsOf, present, textOf } from './read-json.ts'
import { placed } from './placed.ts'
import type { WordsGround } from './surface.ts'

/** The system prompt, text or blocks of text, which stand at `path`; undefined where there is none. */
export function systemMessage(
  system: Json | undefined,
  path: string,
  ground: WordsGround,
): JsonObject | undefined {
  if (system === undefined || system === null || system === '') return undefined
  if (typeof system === 'string') return placed(ground, path, { role: 'system', content: system })
  const content = objectsOf(system, path).map((block, at) => textPart(block, `${path}[${at}]`, ground))
  return content.length === 0 ? undefined : placed(ground, path, { role: 'system', content })
}

/** A user's turn: results of tools first, as OpenAI wants them, each a message of its own. */
export function userMessages(
  content: Json | undefined,
  path: string,
  ground: WordsGround,
): readonly JsonObject[] {
  if (typeof content === 'string') return [placed(ground, path, { role: 'user', content })]
  const results: JsonObject[] = []
  const pictures: JsonObject[] = []
  const parts: JsonObject[] = []
  for (const [at, block] of objectsOf(content, `${path}.content`).entries()) {
    const place = `${path}.content[${at}]`
    if (block['type'] === 'tool_result') {
      const read = toolResult(block, place, ground)
      results.push(read.message)
      pictures.push(...read.pictures)
    } else parts.push(...partsOf(block, place, ground))
  }
  const shown = [...pictures, ...parts]
  return shown.length === 0 ? results : [...results, placed(ground, path, { role: 'user', content: shown })]
}

/** An assistant's turn. What it thought is its own provider's to read, and goes where the neutral form has a place. */
export function assistantMessage(
  content: Json | undefined,
  path: string,
  ground: WordsGround,
): readonly JsonObject[] {
  if (typeof content === 'string') return [placed(ground, path, { role: 'assistant', content })]
  const texts: JsonObject[] = []
  const calls: JsonObject[] = []
  const thoughts: JsonObject[] = []
  for (const [at, block] of objectsOf(content, `${path}.content`).entries()) {
    const place = `${path}.content[${at}]`
    switch (block['type']) {
      case 'text':
        texts.push(textPart(block, place, ground))
        break
      case 'tool_use':
        calls.push(toolCall(block, place, ground))
        break
      case 'thinking':
      case 'redacted_thinking':
        thoughts.push(block)
        break
      default:
        throw untold(block, place)
    }
  }
  const message = placed(
    ground,
    path,
    present({
      role: 'assistant',
      content: texts.length > 0 ? spokenIn(texts) : null,
      tool_calls: calls.length > 0 ? calls : undefined,
      thinking_blocks: thoughts.length > 0 && !ground.isRelayed ? thoughts : undefined,
    }),
  )
  // A turn of thoughts alone says nothing to who cannot read them.
  return texts.length + calls.length > 0 || message['thinking_blocks'] !== undefined ? [message] : []
}

/** One text, unless something is cached up to the end of one of several. */
function spokenIn(parts: readonly JsonObject[]): Json {
  return parts.some((part) => part['cache_control'] !== undefined)
    ? parts
    : parts.map(({ text }) => textOf(text) ?? '').join('')
}

/** Where what is cached ends: the neutral form has a place for it, OpenAI's words do not. */
export function markOf({ cache_control: mark }: JsonObject, { isRelayed }: WordsGround): JsonObject {
  return isRelayed || !isJsonObject(mark) ? {} : { cache_control: mark }
}

function toolCall(block: JsonObject, path: string, ground: WordsGround): JsonObject {
  const { id, name, input } = block
  const called = { name, arguments: JSON.stringify(input ?? {}) }
  return placed(ground, path, { id, type: 'function', function: called, ...markOf(block, ground) })
}

/** The text of a tool's result, and what of it OpenAI's tool messages cannot hold: the user shows it then. */
function toolResult(
  block: JsonObject,
  path: string,
  ground: WordsGround,
): { readonly message: JsonObject; readonly pictures: readonly JsonObject[] } {
  const { tool_use_id: id, content, is_error: isError } = block
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content, path)
  const parts = blocks.flatMap((each, at) => partsOf(each, `${path}.content[${at}]`, ground))
  const texts = parts.flatMap(({ type, text }) => (type === 'text' ? [textOf(text) ?? ''] : []))
  const pictures = parts.filter(({ type }) => type !== 'text')
  const said = texts.join('\n')
  const message = placed(ground, path, {
    role: 'tool',
    tool_call_id: id,
    content: isError === true ? `Error: ${said}` : said,
    ...markOf(blocks.findLast((each) => 'cache_control' in each) ?? {}, ground),
    ...markOf(block, ground),
  })
  return { message, pictures }
}

function listOf(content: Json | undefined, path: string): readonly JsonObject[] {
  return content === undefined || content === null ? [] : objectsOf(content, `${path}.content`)
}

function partsOf(block: JsonObject, path: string, ground: WordsGround): readonly JsonObject[] {
  switch (block['type']) {
    case 'text':
      return [textPart(block, path, ground)]
    case 'image': {
      const picture = { type: 'image_url', image_url: { url: urlOf(block, path) }, ...markOf(block, ground) }
      return [placed(ground, path, picture)]
    }
    case 'document':
      return documentParts(block, path, ground)
    case 'search_result':
      return [textPart({ ...block, text: searchText(block, path) }, path, ground)]
    default:
      throw untold(block, path)
  }
}

function textPart(block: JsonObject, path: string, ground: WordsGround): JsonObject {
  const text = textOf(block['text']) ?? ''
  return placed(ground, path, { type: 'text', text, ...markOf(block, ground) })
}

/** A text is a text, under its title; everything else is a file. */
function documentParts(block: JsonObject, path: string, ground: WordsGround): readonly JsonObject[] {
  const { source, title, context, citations } = block
  const heading = joined([title, context])
  switch (memberOf(source, 'type')) {
    case 'text':
      return [textPart({ ...block, text: joined([heading, memberOf(source, 'data')]) }, path, ground)]
    case 'content': {
      const content = memberOf(source, 'content')
      const inside = `${path}.source`
      const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content, inside)
      const parts = blocks.flatMap((each, at) => partsOf(each, `${inside}.content[${at}]`, ground))
      const all = heading === '' ? parts : [textPart({ text: heading }, path, ground), ...parts]
      const last = all.at(-1)
      if (last === undefined) return []
      return [...all.slice(0, -1), placed(ground, path, { ...last, ...markOf(block, ground) })]
    }
    default: {
      const filename = textOf(title) ?? 'document.pdf'
      const file = { type: 'file', file: { filename, file_data: urlOf(block, path) } }
      const whole = ground.isRelayed
        ? file
        : present({ ...file, context, citations, ...markOf(block, ground) })
      return [placed(ground, path, whole)]
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
    throw refuse(`'${path}': a block of type ${textOf(type)} has no source.`, 'messages')
  const { type: kind, url, media_type: media, data } = source
  if (kind === 'url' && typeof url === 'string') return url
  if (kind === 'base64' && typeof data === 'string') return `data:${textOf(media) ?? ''};base64,${data}`
  throw refuse(
    `'${path}.source': a source of type ${textOf(kind)?.slice(0, 64) ?? 'none'} lives at Anthropic; this deployment's provider needs base64 or a URL.`,
    'messages',
  )
}

function untold({ type }: JsonObject, path: string): ReturnType<typeof refuse> {
  const name = textOf(type)?.slice(0, 64) ?? 'none'
  return refuse(
    `'${path}': a block of type '${name}' cannot be said to this deployment's provider.`,
    'messages',
  )
}
