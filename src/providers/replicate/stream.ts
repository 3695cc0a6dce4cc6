import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type JsonObject, parseJson } from '../../core/json.ts'
import type { ChatChunk } from '../../core/mode.ts'
import { createSseParser, type SseEvent } from '../../transport/sse.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { StreamDecoder, Target } from '../adapter.ts'
import { textOf } from '../answer.ts'
import { createdAt, predictionFailure, predictionIn, usageIn } from './prediction.ts'
import { eachOf } from '../each-of.ts'

/**
 * The events of a prediction: `output` with a piece of text, `error` with `{detail}`, and at last `done` with a `reason`
 * where it did not end well (https://replicate.com/docs/topics/predictions/streaming, read 2026-11-27).
 */
export function openReplicateStream(target: Target, first?: WireResponse): StreamDecoder<ChatChunk> {
  const parser = createSseParser()
  const prediction = first === undefined ? {} : predictionIn(first)
  const head = {
    id: textOf(prediction['id']) ?? '',
    object: 'chat.completion.chunk',
    created: createdAt(prediction),
    model: target.model,
  } as const
  const chunk = (delta: JsonObject, finish: string | null): ChatChunk => ({
    ...head,
    choices: [{ index: 0, delta, finish_reason: finish }],
  })
  let hasRole = false
  let hasSpoken = false
  let isDone = false
  const read = ({ name, data }: SseEvent): readonly ChatChunk[] => {
    switch (name) {
      case 'output': {
        const delta = hasRole ? { content: data } : { role: 'assistant', content: data }
        hasRole = true
        hasSpoken ||= data !== ''
        return [chunk(delta, null)]
      }
      case 'error':
        throw predictionFailure('failed', detailIn(data), 200)
      case 'done':
        throwUnlessGood(data, hasSpoken)
        isDone = true
        return [chunk({}, 'stop')]
      default:
        return [] // Logs, and what else may come.
    }
  }
  return {
    push: (bytes) => eachOf(parser.push(bytes), read),
    end: () => {
      const last = parser.end().flatMap(read)
      if (!isDone) throw new GatewayError('cut', 'the stream ended before its last event')
      return last
    },
    lastly: (response) => {
      const usage = usageIn(predictionIn(response))
      return usage === undefined ? [] : [{ ...head, choices: [], usage }]
    },
  }
}

function detailIn(data: string): string {
  const error = parseJson(data)
  return (isJsonObject(error) ? textOf(error['detail']) : undefined) ?? data
}

function throwUnlessGood(data: string, hasSpoken: boolean): void {
  const ending = parseJson(data)
  const reason = isJsonObject(ending) ? textOf(ending['reason']) : undefined
  if (reason === 'canceled') throw predictionFailure('canceled', undefined, 200)
  if (reason === 'error') throw predictionFailure('failed', undefined, 200)
  if (!hasSpoken) throw new GatewayError('empty', 'answered 200 with a stream that says nothing')
}
