import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'

/** OpenAI's members that change no answer: who does not know them is not told of them, and nobody hears of it. */
export const CHANGES_NOTHING: ReadonlySet<string> = new Set([
  'metadata',
  'prediction',
  'prompt_cache_key',
  'prompt_cache_options',
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

/** Those of these members without which the answer would be another one. */
export function missed(body: JsonObject, lacks: readonly string[]): readonly string[] {
  const names = Object.keys(body).filter((name) => lacks.includes(name))
  return names.filter((name) => saysSomething(name, body[name]))
}

/** Would the answer be another one without this member? */
export function saysSomething(name: string, value: Json | undefined): boolean {
  if (value === undefined || value === null || CHANGES_NOTHING.has(name)) return false
  switch (name) {
    case 'n':
      return value !== 1
    case 'parallel_tool_calls':
      return value !== true
    case 'modalities':
      return !(Array.isArray(value) && value.every((each: Json) => each === 'text'))
    case 'functions':
    case 'tools':
      return !(Array.isArray(value) && value.length === 0)
    case 'function_call':
    case 'tool_choice':
      return value !== 'none' && value !== 'auto'
    case 'response_format':
      return !(isJsonObject(value) && value['type'] === 'text')
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

/** Members of OpenAI's chat that no other provider has. */
export const OPENAI_ALONE: readonly string[] = [
  'audio',
  'function_call',
  'functions',
  'modalities',
  'moderation',
  'prompt_cache_options',
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
