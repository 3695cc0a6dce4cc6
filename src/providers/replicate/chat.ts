import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { ChatRequest, ChatResponse } from '../../core/mode.ts'
import type { WireRequest, WireResponse } from '../../transport/wire.ts'
import type { Codec, NextRequest, Target } from '../adapter.ts'
import { notAnAnswer, readAnswer, textOf } from '../answer.ts'
import { pollMs } from '../follow-up.ts'
import { postJson } from '../post-json.ts'
import { predictionsUrl, replicateBase, streamAddress } from './address.ts'
import { toInput } from './chat-request.ts'
import { createdAt, idUnderWay, predictionFailure, predictionIn, usageIn } from './prediction.ts'
import { openReplicateStream } from './stream.ts'

/**
 * Chat as a prediction (https://replicate.com/docs/topics/predictions/create-a-prediction, read 2026-11-27): it is
 * waited for up to a minute, then looked at until it is done. It is looked at by its id, so that the key never leaves
 * for an address that the answer names. A stream lives at such an address: it is read where that is the deployment's own
 * host, and without the key where it is Replicate's for streams; else, or where it does not come about, the answer is
 * sent whole.
 */
export const replicateChat: Codec<'chat'> = {
  encode: (request, target) => {
    const { url, version } = predictionsUrl(target)
    const { input, dropped } = toInput(request, target)
    const isStream = request.stream === true
    const body = { ...(version !== undefined && { version }), input, ...(isStream && { stream: true }) }
    const wire = postJson(url, body)
    return {
      ...wire,
      // A stream begins before the prediction is done.
      ...(!isStream && { headers: { ...wire.headers, prefer: 'wait' } }),
      ...(dropped.length > 0 && { dropped }),
    }
  },
  next: (response, request, target, step) => {
    const prediction = predictionIn(response)
    const id = idUnderWay(prediction)
    if (id === undefined) return undefined
    const look: WireRequest = { method: 'GET', url: placeOf(id, target), headers: JSON_ALONE }
    const lastly = asksForUsage(request) ? look : undefined
    const streamed = step === 0 && request.stream === true ? streamOf(prediction, target, lastly) : undefined
    return streamed ?? { request: look, afterMs: pollMs(step) }
  },
  abandon: (first, target) => {
    const id = idUnderWay(predictionIn(first))
    if (id === undefined) return undefined
    return { method: 'POST', url: `${placeOf(id, target)}/cancel`, headers: JSON_ALONE }
  },
  decode: decodePrediction,
  openStream: openReplicateStream,
}

const JSON_ALONE = { accept: 'application/json' } as const

function placeOf(id: string, target: Target): string {
  return `${replicateBase(target)}/predictions/${encodeURIComponent(id)}`
}

function streamOf(
  { urls }: JsonObject,
  target: Target,
  lastly: WireRequest | undefined,
): NextRequest | undefined {
  const named = isJsonObject(urls) ? textOf(urls['stream']) : undefined
  const address = named === undefined ? undefined : streamAddress(named, target)
  if (address === undefined) return undefined
  const headers = { accept: 'text/event-stream', 'cache-control': 'no-store' }
  return {
    request: { method: 'GET', url: address.url, headers },
    afterMs: 0,
    stream: { isKeyless: !address.isOwn, ...(lastly !== undefined && { lastly }) },
  }
}

/** Events say nothing of tokens: the prediction does, once it is done. */
function asksForUsage({ stream_options: options }: ChatRequest): boolean {
  return isJsonObject(options) && options['include_usage'] === true
}

const EXPECTED = 'an "output"'

function decodePrediction(response: WireResponse, target: Target): ChatResponse {
  const { status, error } = predictionIn(response)
  if (status === 'failed' || status === 'canceled' || status === 'aborted')
    throw predictionFailure(status === 'failed' ? status : 'canceled', error, response.status)
  const body = readAnswer(response, EXPECTED)
  const text = outputOf(body['output'])
  if (text === undefined || body['status'] !== 'succeeded') throw notAnAnswer(response, body, EXPECTED)
  if (text === '')
    throw new GatewayError('empty', `answered ${response.status} with an output that says nothing`)
  const usage = usageIn(body)
  return {
    id: textOf(body['id']) ?? '',
    object: 'chat.completion',
    created: createdAt(body),
    model: target.model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: text, refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    ...(usage !== undefined && { usage }),
  }
}

/** Language models answer in pieces, or in one. */
function outputOf(output: Json | undefined): string | undefined {
  if (typeof output === 'string') return output
  if (!Array.isArray(output)) return undefined
  const pieces = output.filter((piece: Json): piece is string => typeof piece === 'string')
  return pieces.length < output.length ? undefined : pieces.join('')
}
