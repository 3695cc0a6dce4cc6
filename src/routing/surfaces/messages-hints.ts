import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { memberOf } from './read-json.ts'
import type { WordsGround } from './surface.ts'

/** What tools have that is told. */
const TOLD_OF_TOOLS: ReadonlySet<string> = new Set([
  'cache_control',
  'description',
  'input_schema',
  'name',
  'strict',
  'type',
])

/**
 * Members within a request in Anthropic's words that nothing in a chat stands for, and that change no question: marks of
 * caches where the provider has no word for them, whether sources are to be cited, how thoughts are shown, and what is
 * said of tools beside what they are.
 */
export function messagesHints(
  body: JsonObject,
  { isRelayed, readsThinking }: WordsGround,
): readonly string[] {
  const found = new Set<string>()
  if (readsThinking !== true && isJsonObject(body['cache_control'])) found.add('cache_control')
  if (readsThinking !== true && memberOf(body['thinking'], 'display') != null) found.add('thinking.display')
  if (isRelayed) for (const block of objectsIn(body['system'])) mark(block, 'system[]', found)
  for (const message of objectsIn(body['messages']))
    for (const block of objectsIn(message['content'])) inBlock(block, isRelayed, found)
  for (const tool of objectsIn(body['tools'])) inTool(tool, isRelayed, found)
  return [...found]
}

const BLOCK = 'messages[].content[]'

function inBlock(block: JsonObject, isRelayed: boolean, found: Set<string>): void {
  if (isRelayed) mark(block, BLOCK, found)
  // A document that is a file is handed on with what is said of it.
  const kind = memberOf(block['source'], 'type')
  const isFile = block['type'] === 'document' && kind !== 'text' && kind !== 'content'
  if (memberOf(block['citations'], 'enabled') === true && (isRelayed || !isFile))
    found.add(`${BLOCK}.citations`)
  if (isRelayed && isFile && typeof block['context'] === 'string') found.add(`${BLOCK}.context`)
  if (block['type'] === 'tool_result')
    for (const inner of objectsIn(block['content'])) inBlock(inner, isRelayed, found)
}

function inTool(tool: JsonObject, isRelayed: boolean, found: Set<string>): void {
  if (isRelayed) mark(tool, 'tools[]', found)
  // Tools of Anthropic's own are named whole.
  const { type } = tool
  if (type !== undefined && type !== null && type !== 'custom') return
  for (const [name, value] of Object.entries(tool))
    if (!TOLD_OF_TOOLS.has(name) && value !== undefined && value !== null) found.add(`tools[].${name}`)
}

function mark(block: JsonObject, place: string, found: Set<string>): void {
  if (isJsonObject(block['cache_control'])) found.add(`${place}.cache_control`)
}

function objectsIn(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}
