import { entryOf } from '../core/entry-of.ts'
import type { JsonObject } from '../core/json.ts'
import type { HttpMode, RouteName } from '../core/mode.ts'

/**
 * Which of a deployment's defaults a route's body takes. Chat and completion bodies are open: people pass
 * `top_k` or `guided_json` this way. The others are strict (OpenAI's specification says
 * `additionalProperties: false`), so only fields that they are documented to know get in.
 */
const KNOWN_FIELDS: { readonly [R in RouteName]: readonly string[] | 'any' } = {
  chat: 'any',
  completion: 'any',
  embedding: ['dimensions', 'encoding_format', 'user', 'input_type', 'truncate'],
  image_generation: [
    'background',
    'moderation',
    'output_compression',
    'output_format',
    'quality',
    'response_format',
    'size',
    'style',
    'user',
  ],
  image_edit: [
    'background',
    'input_fidelity',
    'output_compression',
    'output_format',
    'quality',
    'response_format',
    'size',
    'user',
  ],
  audio_translation: ['prompt', 'response_format', 'temperature'],
  audio_transcription: ['language', 'prompt', 'response_format', 'temperature'],
  audio_speech: ['instructions', 'response_format', 'speed'],
  rerank: ['max_chunks_per_doc', 'max_tokens_per_doc', 'rank_fields', 'return_documents', 'top_n'],
  batch: [],
  moderation: [],
}

/** What only the caller decides: a default that streams would break every caller that does not. */
export const CALLERS_OWN: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'prompt',
  'stream',
  'stream_options',
])

/** Two names of one thing: a request that has either takes neither default. */
const ALTERNATIVES: Readonly<Record<string, string>> = {
  max_tokens: 'max_completion_tokens',
  max_completion_tokens: 'max_tokens',
}

/** The defaults that go into a body of this route, before one looks at the request. */
export function defaultsOf(route: RouteName, defaults: JsonObject): JsonObject {
  const known = KNOWN_FIELDS[route]
  return select(defaults, (key) => !CALLERS_OWN.has(key) && (known === 'any' || known.includes(key)))
}

/** Leaves out the defaults that the request itself, or another name of the same thing in it, settles. */
export function unlessSettled<Value>(
  defaults: Readonly<Record<string, Value>>,
  has: (key: string) => boolean,
): Readonly<Record<string, Value>> {
  return select(defaults, (key) => !has(key) && !has(entryOf(ALTERNATIVES, key) ?? key))
}

/** The defaults without those that must not go out; the very same object where none of them is there. */
export function withoutNames(defaults: JsonObject, names: readonly string[]): JsonObject {
  return names.some((name) => Object.hasOwn(defaults, name))
    ? select(defaults, (key) => !names.includes(key))
    : defaults
}

/**
 * A request with the deployment's defaults where it has none, as a new object; `own` are names that the provider has
 * beside OpenAI's.
 */
export function withDefaults(
  mode: HttpMode,
  request: JsonObject,
  defaults: JsonObject,
  own: readonly string[] = [],
): JsonObject {
  const taken = { ...defaultsOf(mode, defaults), ...select(defaults, (key) => own.includes(key)) }
  return { ...unlessSettled(taken, (key) => request[key] !== undefined), ...request }
}

/** Most deployments have no defaults, and nothing is made ready for them. */
export function hasNone(defaults: JsonObject): boolean {
  for (const _ in defaults) return false
  return true
}

/** A body without all members but these. */
export function picked<Value>(
  body: Readonly<Record<string, Value>>,
  names: readonly string[],
): Readonly<Record<string, Value>> {
  return select(body, (key) => names.includes(key))
}

function select<Value>(
  from: Readonly<Record<string, Value>>,
  keep: (key: string) => boolean,
): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(from).filter(([key]) => keep(key)))
}
