import { entryOf } from '../../core/entry-of.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { isJsonObject } from '../../core/json.ts'
import { numberOf, textOf } from '../answer.ts'

/**
 * Why Claude stopped (https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons), in OpenAI's words.
 * A turn that it paused is over for who asks in OpenAI's words.
 */
const FINISH_REASONS: Readonly<Record<string, string>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  pause_turn: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
}

/** OpenAI's reason to finish; a reason that is not known here is told as it is. A call that is the answer is none. */
export function finishReason(reason: Json | undefined, hasCalls: boolean): string | null {
  if (typeof reason !== 'string') return null
  return reason === 'tool_use' && !hasCalls ? 'stop' : (entryOf(FINISH_REASONS, reason) ?? reason)
}

/** Why it refused; null where it did not. */
export function refusalOf(reason: Json | undefined, details: Json | undefined): string | null {
  if (reason !== 'refusal') return null
  const told = isJsonObject(details) ? details : {}
  return textOf(told['explanation']) ?? textOf(told['category']) ?? 'The model refused to go on.'
}

/**
 * Anthropic's usage as OpenAI's: what was read from and written into the cache was read as well, and is told beside it
 * by Anthropic's names too.
 */
export function usageOf(usage: JsonObject): JsonObject {
  const count = (name: string): number => numberOf(usage[name]) ?? 0
  const fromCache = count('cache_read_input_tokens')
  const intoCache = count('cache_creation_input_tokens')
  const read = count('input_tokens') + fromCache + intoCache
  const written = count('output_tokens')
  const details = usage['output_tokens_details']
  const thought = isJsonObject(details) ? numberOf(details['thinking_tokens']) : undefined
  return {
    prompt_tokens: read,
    completion_tokens: written,
    total_tokens: read + written,
    prompt_tokens_details: { cached_tokens: fromCache },
    ...(thought !== undefined && { completion_tokens_details: { reasoning_tokens: thought } }),
    cache_read_input_tokens: fromCache,
    cache_creation_input_tokens: intoCache,
  }
}
