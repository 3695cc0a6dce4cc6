import { entryOf } from '../../core/entry-of.ts'
import type { Json } from '../../core/json.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import { GatewayError } from '../../core/failure.ts'
import { numberOf } from '../answer.ts'

/** Cohere's finish reasons (https://docs.cohere.com/reference/chat) in OpenAI's words. */
const FINISH_REASONS: Readonly<Record<string, string>> = {
  COMPLETE: 'stop',
  STOP_SEQUENCE: 'stop',
  MAX_TOKENS: 'length',
  TOOL_CALL: 'tool_calls',
  ERROR_TOXIC: 'content_filter',
  ERROR_LIMIT: 'length',
  USER_CANCEL: 'stop',
}

/** @throws GatewayError server_error or timeout where Cohere says inside a 200 that it gave up */
export function finishReason(value: Json | undefined): string | null {
  if (typeof value !== 'string') return null
  if (value === 'ERROR') throw new GatewayError('server_error', 'answered 200 with finish_reason ERROR')
  if (value === 'TIMEOUT') throw new GatewayError('timeout', 'answered 200 with finish_reason TIMEOUT')
  return entryOf(FINISH_REASONS, value) ?? value.toLowerCase()
}

/** Cohere's `usage` (v2) or `meta` (v1) as OpenAI's: what was read and written, else what was billed. */
export function usageOf(value: Json | undefined): { readonly usage?: JsonObject } {
  if (!isJsonObject(value)) return {}
  const counted = isJsonObject(value['tokens']) ? value['tokens'] : value['billed_units']
  if (!isJsonObject(counted)) return {}
  const read = numberOf(counted['input_tokens']) ?? 0
  const written = numberOf(counted['output_tokens']) ?? 0
  const cached = numberOf(value['cached_tokens'])
  return {
    usage: {
      prompt_tokens: read,
      completion_tokens: written,
      total_tokens: read + written,
      ...(cached === undefined ? {} : { prompt_tokens_details: { cached_tokens: cached } }),
    },
  }
}
