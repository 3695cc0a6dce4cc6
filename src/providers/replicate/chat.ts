import { GatewayError, type FailureKind } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { ChatResponse } from '../../core/mode.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Codec, Target } from '../adapter.ts'
import { notAnAnswer, numberOf, readAnswer, textOf } from '../answer.ts'
import { bodyText, parseJson } from '../error-facts.ts'
import { pollMs } from '../follow-up.ts'
import { postJson } from '../post-json.ts'
import { predictionsUrl, replicateBase } from './address.ts'
import { toInput } from './chat-request.ts'

/** What a prediction is before it is done. */
const UNDER_WAY: ReadonlySet<string> = new Set(['starting', 'processing'])

/**
 * Chat as a prediction (https://replicate.com/docs/topics/predictions/create-a-prediction, read 2026-11-27): it is
 * waited for up to a minute, then looked at until it is done. It is looked at by its id, so that the key never leaves
 * for an address that the answer names; its stream lives at such an address, and so its answers are whole.
 */
export const replicateChat: Codec<'chat'> = {
  encode: (request, target) => {
    const { url, version } = predictionsUrl(target)
    const { input, dropped } = toInput(request, target)
    const wire = postJson(url, { ...(version !== undefined && { version }), input })
    return {
      ...wire,
      headers: { ...wire.headers, prefer: 'wait' },
      ...(dropped.length > 0 && { dropped }),
    }
  },
  next: (response, _, target, step) => {
    const body = parseJson(bodyText(response))
    const id =
      isJsonObject(body) && UNDER_WAY.has(textOf(body['status']) ?? '') ? textOf(body['id']) : undefined
    if (id === undefined || id === '') return undefined
    const url = `${replicateBase(target)}/predictions/${encodeURIComponent(id)}`
    return { request: { method: 'GET', url, headers: { accept: 'application/json' } }, afterMs: pollMs(step) }
  },
  decode: decodePrediction,
  streamsWhole: true,
}

const EXPECTED = 'an "output"'

/** `{id, status, output: text or pieces of it, error, created_at, metrics: {input_token_count, output_token_count}}` */
function decodePrediction(response: WireResponse, target: Target): ChatResponse {
  const prediction = parseJson(bodyText(response))
  if (isJsonObject(prediction)) throwIfFailed(prediction, response.status)
  const body = readAnswer(response, EXPECTED)
  const text = outputOf(body['output'])
  if (text === undefined || body['status'] !== 'succeeded') throw notAnAnswer(response, body, EXPECTED)
  if (text === '')
    throw new GatewayError('empty', `answered ${response.status} with an output that says nothing`)
  const at = Date.parse(textOf(body['created_at']) ?? '')
  return {
    id: textOf(body['id']) ?? '',
    object: 'chat.completion',
    created: Number.isNaN(at) ? 0 : Math.floor(at / 1_000),
    model: target.model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: text, refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    ...usageOf(body['metrics']),
  }
}

/** Language models answer in pieces, or in one. */
function outputOf(output: Json | undefined): string | undefined {
  if (typeof output === 'string') return output
  if (!Array.isArray(output)) return undefined
  const pieces = output.filter((piece: Json): piece is string => typeof piece === 'string')
  return pieces.length < output.length ? undefined : pieces.join('')
}

function usageOf(metrics: Json | undefined): { readonly usage?: JsonObject } {
  if (!isJsonObject(metrics)) return {}
  const read = numberOf(metrics['input_token_count'])
  const written = numberOf(metrics['output_token_count'])
  if (read === undefined || written === undefined) return {}
  return { usage: { prompt_tokens: read, completion_tokens: written, total_tokens: read + written } }
}

/** Its words for what a model would not say. */
const FILTERED = /nsfw|flagged|sensitive|safety|content policy|moderat/i

/** @throws GatewayError what a prediction that failed failed of */
function throwIfFailed({ status, error }: JsonObject, upstreamStatus: number): void {
  if (status !== 'failed' && status !== 'canceled' && status !== 'aborted') return
  const reason = typeof error === 'string' && error !== '' ? error : 'no reason given'
  const kind: FailureKind = FILTERED.test(reason) ? 'content_policy' : 'server_error'
  throw new GatewayError(
    kind,
    `answered ${upstreamStatus} with a prediction that ${status === 'failed' ? 'failed' : 'was canceled'}: ${reason.slice(0, 500)}`,
    { upstreamStatus: kind === 'content_policy' ? 400 : 500 },
  )
}
