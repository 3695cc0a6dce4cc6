import { GatewayError, type FailureKind } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import { numberOf, textOf } from '../answer.ts'
import type { WireResponse } from '../../transport/wire.ts'
import { bodyText } from '../error-facts.ts'

/** `{id, status, output, error, created_at, metrics, urls}` (https://replicate.com/docs/reference/http, read 2026-11-27). */
export function predictionIn(response: WireResponse): JsonObject {
  const body = parseJson(bodyText(response))
  return isJsonObject(body) ? body : {}
}

/** What a prediction is before it is done. */
const UNDER_WAY: ReadonlySet<string> = new Set(['starting', 'processing'])

/** The id of a prediction that is not done yet. */
export function idUnderWay({ id, status }: JsonObject): string | undefined {
  const named = textOf(id)
  return named !== '' && UNDER_WAY.has(textOf(status) ?? '') ? named : undefined
}

/** When it was made, seconds since 1970; 0 where that is not said. */
export function createdAt({ created_at: text }: JsonObject): number {
  const at = Date.parse(textOf(text) ?? '')
  return Number.isNaN(at) ? 0 : Math.floor(at / 1_000)
}

/** Its tokens, where both counts are said. */
export function usageIn({ metrics }: JsonObject): JsonObject | undefined {
  if (!isJsonObject(metrics)) return undefined
  const read = numberOf(metrics['input_token_count'])
  const written = numberOf(metrics['output_token_count'])
  if (read === undefined || written === undefined) return undefined
  return { prompt_tokens: read, completion_tokens: written, total_tokens: read + written }
}

/** Its words for what a model would not say. */
const FILTERED = /nsfw|flagged|sensitive|safety|content policy|moderat/i

/** What a prediction that failed, or was canceled, failed of. */
export function predictionFailure(
  status: 'failed' | 'canceled',
  error: Json | undefined,
  upstreamStatus: number,
): GatewayError {
  const reason = typeof error === 'string' && error !== '' ? error : 'no reason given'
  const kind: FailureKind = FILTERED.test(reason) ? 'content_policy' : 'server_error'
  return new GatewayError(
    kind,
    `answered ${upstreamStatus} with a prediction that ${status === 'failed' ? 'failed' : 'was canceled'}: ${reason.slice(0, 500)}`,
    { upstreamStatus: kind === 'content_policy' ? 400 : 500 },
  )
}
