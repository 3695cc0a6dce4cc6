import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { ChatChunk } from '../../core/mode.ts'
import type { Target } from '../adapter.ts'
import { textOf } from '../answer.ts'
import { createBlocks } from './blocks.ts'
import { finishReason, refusalOf, usageOf } from './ending.ts'
import { errorWithin } from './refusals.ts'

/** Anthropic's events, already parsed, as OpenAI's chunks. */
export interface MessagesEvents {
  /** A ping is a chunk that says nothing. @throws GatewayError what an `error` event means; wrong_shape for what is none of Anthropic's events */
  push(event: JsonObject): readonly ChatChunk[]
  /** Of a text that the last `push` would have been for: so many characters. */
  passed(chars: number): void
  /** @throws GatewayError cut where the last event has not come */
  end(): readonly ChatChunk[]
}

/**
 * A stream of Claude's (https://platform.claude.com/docs/en/build-with-claude/streaming), whatever carries its events.
 * Events of types that are not known are passed over, as its documentation asks.
 */
export function openMessagesEvents(target: Target): MessagesEvents {
  const blocks = createBlocks()
  let head = { id: '', model: target.model }
  let usage: JsonObject = {}
  let isOver = false
  const chunk = (choices: readonly JsonObject[], more: JsonObject = {}): ChatChunk => ({
    id: head.id,
    object: 'chat.completion.chunk',
    created: 0,
    model: head.model,
    choices,
    ...more,
  })
  const said = (delta: JsonObject | undefined): readonly ChatChunk[] =>
    delta === undefined ? [] : [chunk([{ index: 0, delta, finish_reason: null }])]
  const push = (event: JsonObject): readonly ChatChunk[] => {
    switch (textOf(event['type'])) {
      case undefined:
        throw new GatewayError('wrong_shape', 'the stream holds an event without a "type"')
      case 'message_start': {
        const message = objectIn(event['message'])
        head = { id: textOf(message['id']) ?? '', model: textOf(message['model']) ?? target.model }
        usage = merged(usage, message['usage'])
        return said({ role: 'assistant', content: '' })
      }
      case 'content_block_start':
        return said(blocks.start(event['index'], objectIn(event['content_block'])))
      case 'content_block_delta':
        return said(blocks.grow(event['index'], objectIn(event['delta'])))
      case 'content_block_stop':
        return said(blocks.stop(event['index']))
      case 'message_delta':
        usage = merged(usage, event['usage'])
        return ending(objectIn(event['delta']), blocks.hasCalls()).map((choice) => chunk([choice]))
      case 'message_stop':
        isOver = true
        return Object.keys(usage).length === 0 ? [] : [chunk([], { usage: usageOf(usage) })]
      case 'ping':
        return [chunk([])]
      case 'error':
        throw errorWithin(event)
      default:
        return []
    }
  }
  return {
    push,
    passed: (chars) => blocks.passed(chars),
    end: () => {
      if (!isOver) throw new GatewayError('cut', 'the stream ended before its last event')
      return []
    },
  }
}

/** Why it stopped, once it says so. */
function ending(delta: JsonObject, hasCalls: boolean): readonly JsonObject[] {
  const reason = delta['stop_reason']
  const finish = finishReason(reason, hasCalls)
  if (finish === null) return []
  const refusal = refusalOf(reason, delta['stop_details'])
  const stopped = textOf(delta['stop_sequence'])
  return [
    {
      index: 0,
      delta: refusal === null ? {} : { refusal },
      finish_reason: finish,
      ...(stopped !== undefined && { stop_reason: stopped }),
    },
  ]
}

/** Later counts are whole counts: they take the place of earlier ones. */
function merged(usage: JsonObject, later: Json | undefined): JsonObject {
  const told = Object.entries(objectIn(later)).filter(([, value]) => value !== undefined && value !== null)
  return { ...usage, ...Object.fromEntries(told) }
}

function objectIn(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {}
}
