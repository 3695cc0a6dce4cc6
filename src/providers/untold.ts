import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import type { ChatMessage } from '../core/mode.ts'

/** Anthropic's mark of where a cache may end; `ttl` says how long it is kept. */
const MARK = 'cache_control'

const MARKED = [
  'messages[].cache_control',
  'messages[].content[].cache_control',
  'messages[].tool_calls[].cache_control',
  'tools[].cache_control',
  'tools[].function.cache_control',
] as const

/** Marks of caches, wherever they may stand. */
export const CACHE_MARKS: readonly string[] = MARKED
/** How long is to be kept what they mark. */
export const CACHE_TIMES: readonly string[] = MARKED.map((place) => `${place}.ttl`)

/**
 * What stands below the top level of a chat and is not told, by name. Only hints are looked for: what they are about is
 * carried, and the answer is one to the same question, so that they are named and never refused. `told` are the paths
 * that a provider has words for; without `tools` or `web_search_options` in it those are left out, and named, whole.
 */
export function untold(
  { messages, tools, web_search_options: search }: { readonly messages: readonly JsonObject[] } & JsonObject,
  told: ReadonlySet<string>,
): readonly string[] {
  const found = new Set<string>()
  for (const message of messages) inMessage(message, found)
  if (told.has('tools') && Array.isArray(tools)) for (const tool of tools) inTool(tool, found)
  if (told.has('web_search_options') && isJsonObject(search)) inSearch(search, found)
  const names = [...found].filter((name) => !told.has(name))
  return names.filter((name) => !names.some((other) => name.startsWith(`${other}.`)))
}

function inMessage(message: JsonObject, found: Set<string>): void {
  const { role, name, content, refusal, audio, tool_calls: calls } = message
  // The names of tools are found elsewhere.
  if (typeof name === 'string' && role !== 'tool' && role !== 'function') found.add('messages[].name')
  mark(message, 'messages[]', found)
  if (Array.isArray(content)) for (const part of content) inPart(part, found)
  if (Array.isArray(calls)) for (const call of calls) mark(call, 'messages[].tool_calls[]', found)
  // Where there is no content they are told in its place.
  if (content === undefined || content === null || content === '') return
  if (typeof refusal === 'string' && refusal !== '') found.add('messages[].refusal')
  if (isJsonObject(audio)) found.add('messages[].audio')
}

function inPart(part: Json, found: Set<string>): void {
  mark(part, 'messages[].content[]', found)
  const image = isJsonObject(part) ? part['image_url'] : undefined
  const detail = isJsonObject(image) ? image['detail'] : undefined
  if (typeof detail === 'string' && detail !== 'auto') found.add('messages[].content[].image_url.detail')
  if (isJsonObject(part) && part['type'] === 'file') inFile(part, found)
}

/** What Anthropic's clients say of a document. */
function inFile({ citations, context }: JsonObject, found: Set<string>): void {
  if (isJsonObject(citations) && citations['enabled'] === true) found.add('messages[].content[].citations')
  if (typeof context === 'string') found.add('messages[].content[].context')
}

function inTool(tool: Json, found: Set<string>): void {
  mark(tool, 'tools[]', found)
  const called = isJsonObject(tool) ? tool['function'] : undefined
  if (!isJsonObject(called)) return
  mark(called, 'tools[].function', found)
  if (called['strict'] === true) found.add('tools[].function.strict')
}

function inSearch({ search_context_size: size, user_location: place }: JsonObject, found: Set<string>): void {
  if (typeof size === 'string' && size !== 'medium') found.add('web_search_options.search_context_size')
  if (isJsonObject(place)) found.add('web_search_options.user_location')
}

function mark(holder: Json, place: string, found: Set<string>): void {
  const control = isJsonObject(holder) ? holder[MARK] : undefined
  if (!isJsonObject(control)) return
  found.add(`${place}.${MARK}`)
  // Five minutes is what there is without a word.
  if (control['ttl'] !== undefined && control['ttl'] !== '5m') found.add(`${place}.${MARK}.ttl`)
}

/** A message without marks of caches, for who refuses what he does not know; the very same one where there are none. */
export function unmarked(message: ChatMessage): ChatMessage {
  return cleaned(message, ALL_MARKS)
}

/** The same with Anthropic's marks, which are told. */
export function withoutOpenAisMarks(message: ChatMessage): ChatMessage {
  return cleaned(message, OPENAIS_MARKS)
}

/** The same with OpenAI's own marks, for OpenAI. */
export function withoutCacheControl(message: ChatMessage): ChatMessage {
  return cleaned(message, [MARK])
}

/** A tool without marks of caches, which clients set in its function as well. */
export function unmarkedTool(tool: Json): Json {
  const bare = clean(tool, ALL_MARKS)
  const called = isJsonObject(bare) ? bare['function'] : undefined
  return isJsonObject(bare) && called !== undefined && !isClean(called, ALL_MARKS)
    ? { ...bare, function: clean(called, ALL_MARKS) }
    : bare
}

const OPENAIS_MARKS: readonly string[] = ['prompt_cache_breakpoint']
const ALL_MARKS: readonly string[] = [MARK, ...OPENAIS_MARKS]

function cleaned(message: ChatMessage, marks: readonly string[]): ChatMessage {
  const { role, content, tool_calls: calls } = message
  const lists = [content, calls].filter((list) => Array.isArray(list))
  if (isClean(message, marks) && lists.every((list) => list.every((each) => isClean(each, marks))))
    return message
  return {
    ...pure(message, marks),
    role,
    ...(Array.isArray(content) && { content: content.map((part: Json) => clean(part, marks)) }),
    ...(Array.isArray(calls) && { tool_calls: calls.map((call: Json) => clean(call, marks)) }),
  }
}

function isClean(each: Json, marks: readonly string[]): boolean {
  return !isJsonObject(each) || !marks.some((name) => Object.hasOwn(each, name))
}

function clean(each: Json, marks: readonly string[]): Json {
  return isJsonObject(each) && !isClean(each, marks) ? pure(each, marks) : each
}

function pure(holder: JsonObject, marks: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(holder).filter(([name]) => !marks.includes(name)))
}
