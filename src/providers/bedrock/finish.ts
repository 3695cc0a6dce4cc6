import { entryOf } from '../../core/entry-of.ts'
import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { WireResponse } from '../../transport/wire.ts'
import { numberOf } from '../answer.ts'

/** Converse's stop reasons (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html) in OpenAI's words. */
const FINISH_REASONS: Readonly<Record<string, string>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  tool_use: 'tool_calls',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  content_filtered: 'content_filter',
  guardrail_intervened: 'content_filter',
}

/** @throws GatewayError server_error where Bedrock says inside a 200 that the model spoke nonsense */
export function finishReason(value: Json | undefined): string | null {
  if (typeof value !== 'string') return null
  if (value.startsWith('malformed_'))
    throw new GatewayError('server_error', `answered 200 with stopReason ${value}`)
  return entryOf(FINISH_REASONS, value) ?? value
}

/**
 * Converse's `usage` as OpenAI's. Bedrock counts what it read from the cache, or wrote to it, beside the input; OpenAI
 * counts it in.
 */
export function usageOf(value: Json | undefined): { readonly usage?: JsonObject } {
  if (!isJsonObject(value)) return {}
  const input = numberOf(value['inputTokens'])
  const output = numberOf(value['outputTokens']) ?? 0
  if (input === undefined) return {}
  const read = numberOf(value['cacheReadInputTokens']) ?? 0
  const wrote = numberOf(value['cacheWriteInputTokens']) ?? 0
  const prompt = input + read + wrote
  const details = { cached_tokens: read, ...(wrote > 0 && { cache_creation_tokens: wrote }) }
  return {
    usage: {
      prompt_tokens: prompt,
      completion_tokens: output,
      total_tokens: prompt + output,
      ...(read + wrote > 0 && { prompt_tokens_details: details }),
    },
  }
}

/** Seconds since 1970 by the answer's own clock; Bedrock's bodies name no time. */
export function answeredAt(response: WireResponse): number {
  const at = Date.parse(response.headers['date'] ?? '')
  return Number.isNaN(at) ? 0 : Math.floor(at / 1_000)
}
