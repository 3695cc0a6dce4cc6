import { entryOf } from '../../core/entry-of.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { describedSchema } from '../described-schema.ts'

/** OpenAI's names of what Ollama takes among its `options`. */
const RENAMED: Readonly<Record<string, string>> = {
  max_tokens: 'num_predict',
  max_completion_tokens: 'num_predict',
}

/** What belongs into `options`, under its own name but for those (https://docs.ollama.com/modelfile#parameters, read 2026-11-27). */
const OPTIONS: ReadonlySet<string> = new Set([
  ...Object.keys(RENAMED),
  'draft_num_predict',
  'frequency_penalty',
  'low_vram',
  'main_gpu',
  'min_p',
  'mirostat',
  'mirostat_eta',
  'mirostat_tau',
  'num_batch',
  'num_ctx',
  'num_gpu',
  'num_keep',
  'num_predict',
  'num_thread',
  'numa',
  'penalize_newline',
  'presence_penalty',
  'repeat_last_n',
  'repeat_penalty',
  'seed',
  'temperature',
  'tfs_z',
  'top_k',
  'top_p',
  'typical_p',
  'use_mlock',
  'use_mmap',
])

/** The members of a body with those that Ollama takes as options gathered there; an `options` of the body's own wins. */
export function withOptions({ options: own, ...body }: JsonObject): JsonObject {
  const options = new Map<string, Json>()
  const others = new Map<string, Json>()
  for (const [name, value] of Object.entries(body)) {
    if (value === null || value === undefined) continue
    if (name === 'stop') options.set('stop', typeof value === 'string' ? [value] : value)
    else if (OPTIONS.has(name)) options.set(entryOf(RENAMED, name) ?? name, value)
    else others.set(name, value)
  }
  const all = { ...Object.fromEntries(options), ...(isJsonObject(own) && own) }
  const rest = Object.fromEntries(others)
  return Object.keys(all).length === 0 ? rest : { ...rest, options: all }
}

/** `response_format` as Ollama's `format`: `json`, or the schema itself. */
export function formatOf(format: Json | undefined): JsonObject {
  if (!isJsonObject(format)) return {}
  if (format['type'] === 'json_object') return { format: 'json' }
  return format['type'] === 'json_schema' ? { format: describedSchema(format) ?? 'json' } : {}
}

/**
 * `reasoning_effort` as Ollama's `think`: gpt-oss takes how much, all others only whether
 * (https://docs.ollama.com/capabilities/thinking, read 2026-11-27).
 */
export function thinkOf(effort: Json | undefined, model: string): JsonObject {
  if (typeof effort !== 'string') return {}
  if (effort === 'none') return { think: false }
  if (!/(^|\/)gpt-oss/.test(model)) return { think: true }
  return { think: entryOf(EFFORTS, effort) ?? effort }
}

const EFFORTS: Readonly<Record<string, string>> = { minimal: 'low', xhigh: 'high', max: 'high' }
