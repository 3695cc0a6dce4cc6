import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import type { ChatMessage } from '../core/mode.ts'

/** OpenAI's members that change no answer: who does not know them is not told of them. */
const CHANGES_NOTHING: ReadonlySet<string> = new Set([
  'metadata',
  'prediction',
  'prompt_cache_key',
  'prompt_cache_retention',
  'safety_identifier',
  'service_tier',
  'store',
  'stream_options',
  'user',
])

/** A body without what its provider does not know, and the names of those members whose loss changes the answer. */
export interface Sayable {
  readonly said: JsonObject
  readonly dropped: readonly string[]
}

/**
 * Leaves out the members of an OpenAI body that a provider lacks. What changes no answer goes without a word: nothing
 * asked for (`null`), a default written out, and what only accounts, caches or the form of a stream are about.
 */
export function sayable(body: JsonObject, lacks: ReadonlySet<string>): Sayable {
  const entries = Object.entries(body)
  const unknown = entries.filter(([name]) => lacks.has(name))
  if (unknown.length === 0) return { said: body, dropped: [] }
  return {
    said: Object.fromEntries(entries.filter(([name]) => !lacks.has(name))),
    dropped: unknown.filter(([name, value]) => saysSomething(name, value)).map(([name]) => name),
  }
}

/** Would the answer be another one without this member? */
function saysSomething(name: string, value: Json | undefined): boolean {
  if (value === undefined || value === null || CHANGES_NOTHING.has(name)) return false
  switch (name) {
    case 'n':
      return value !== 1
    case 'parallel_tool_calls':
      return value !== true
    case 'modalities':
      return !(Array.isArray(value) && value.length === 1 && value[0] === 'text')
    case 'verbosity':
      return value !== 'medium'
    case 'frequency_penalty':
    case 'presence_penalty':
    case 'top_logprobs':
      return value !== 0
    case 'thinking':
      return !(isJsonObject(value) && value['type'] === 'disabled')
    case 'logit_bias':
      return !(typeof value === 'object' && Object.keys(value).length === 0)
    default:
      return value !== false && value !== 'auto'
  }
}

/** Who of several speaks under one role, for a provider that is told the role alone. The names of tools are found elsewhere. */
export function untoldNames(messages: readonly ChatMessage[]): readonly string[] {
  const isNamed = messages.some(
    ({ role, name }) => typeof name === 'string' && role !== 'tool' && role !== 'function',
  )
  return isNamed ? ['messages[].name'] : []
}

/** Members of OpenAI's chat that no other provider has. */
export const OPENAI_ALONE: readonly string[] = [
  'audio',
  'function_call',
  'functions',
  'modalities',
  'moderation',
  'prompt_cache_retention',
  'safety_identifier',
  'service_tier',
  'store',
  'stream_options',
  'user',
  'verbosity',
  'web_search_options',
]

/** Members of OpenAI's newer chat that who speaks its words otherwise does not document. */
export const OPENAI_EXTRAS: readonly string[] = [
  ...OPENAI_ALONE.filter((name) => name !== 'stream_options'),
  'metadata',
  'prediction',
  'prompt_cache_key',
]
