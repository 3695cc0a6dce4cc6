import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import type { ChatChunk } from '../../core/mode.ts'
import { createFrameParser, type Frame } from '../../transport/event-stream.ts'
import type { StreamDecoder, Target } from '../adapter.ts'
import { numberOf, textOf } from '../answer.ts'
import { errorIn } from '../error-facts.ts'
import { urlOf } from './converse-answer.ts'
import { finishReason, usageOf } from './finish.ts'
import { streamException } from './refusal-rules.ts'
import { JSON_TOOL } from './tools.ts'
import { eachOf } from '../each-of.ts'

/** What a stream has said so far. */
interface Progress {
  /** Calls of tools, by the index of their block: their place among the calls, and whether any argument came. */
  readonly calls: Map<number, { readonly index: number; hasArguments: boolean }>
  /** The block of the tool that the answer is given through. */
  answerBlock: number | undefined
  isFinished: boolean
}

/** A block more than this is no model's, and the map of them has an end. */
const MAX_CALLS = 1_024

/** ConverseStream's events as OpenAI's chunks (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html). */
export function openConverseStream(target: Target): StreamDecoder<ChatChunk> {
  const parser = createFrameParser()
  const progress: Progress = { calls: new Map(), answerBlock: undefined, isFinished: false }
  const chunk = (choices: readonly JsonObject[], usage: { readonly usage?: JsonObject } = {}): ChatChunk => ({
    id: '',
    object: 'chat.completion.chunk',
    created: 0,
    model: target.model,
    choices,
    ...usage,
  })
  const read = (frame: Frame): readonly ChatChunk[] => {
    const { kind, event } = eventOf(frame)
    if (kind === 'metadata') {
      const usage = usageOf(event['usage'])
      return usage.usage === undefined ? [] : [chunk([], usage)]
    }
    const finish = kind === 'messageStop' ? stopped(event, progress) : null
    const delta = finish === null ? deltaOf(kind, event, progress) : {}
    return delta === undefined ? [] : [chunk([{ index: 0, delta, finish_reason: finish }])]
  }
  return {
    push: (bytes) => eachOf(parser.push(bytes), read),
    end: () => {
      parser.end()
      if (!progress.isFinished) throw new GatewayError('cut', 'the stream ended before its last event')
      return []
    },
  }
}

/** @throws GatewayError of whatever kind the exception is that a frame carries */
export function eventOf({ headers, payload }: Frame): { readonly kind: string; readonly event: JsonObject } {
  const value = parseJson(payload.toString())
  const type = headers[':message-type']
  if (type !== 'event') {
    const name = headers[':exception-type'] ?? headers[':error-code'] ?? 'an error'
    const text = errorIn(value)?.text ?? headers[':error-message'] ?? ''
    throw streamException(name, text)
  }
  if (!isJsonObject(value))
    throw new GatewayError('wrong_shape', 'the stream holds an event that is no JSON object')
  return { kind: headers[':event-type'] ?? '', event: value }
}

function stopped(event: JsonObject, progress: Progress): string {
  progress.isFinished = true
  const finish = finishReason(event['stopReason']) ?? 'stop'
  const isAnswer = progress.answerBlock !== undefined && progress.calls.size === 0
  return finish === 'tool_calls' && isAnswer ? 'stop' : finish
}

/** What an event adds to the message; undefined for events that say nothing to an OpenAI client. */
function deltaOf(kind: string, event: JsonObject, progress: Progress): JsonObject | undefined {
  const block = numberOf(event['contentBlockIndex']) ?? 0
  switch (kind) {
    case 'messageStart':
      return { role: 'assistant', content: '' }
    case 'contentBlockStart':
      return started(event['start'], block, progress)
    case 'contentBlockDelta':
      return isJsonObject(event['delta']) ? blockDelta(event['delta'], block, progress) : undefined
    case 'contentBlockStop':
      return ended(block, progress)
    default:
      return undefined
  }
}

function started(start: Json | undefined, block: number, progress: Progress): JsonObject | undefined {
  const toolUse = isJsonObject(start) ? start['toolUse'] : undefined
  if (!isJsonObject(toolUse)) return undefined
  const name = textOf(toolUse['name']) ?? ''
  if (name === JSON_TOOL) {
    progress.answerBlock = block
    return undefined
  }
  const index = progress.calls.size
  if (index >= MAX_CALLS)
    throw new GatewayError('wrong_shape', `the stream holds more than ${MAX_CALLS} tool calls`)
  progress.calls.set(block, { index, hasArguments: false })
  const id = textOf(toolUse['toolUseId']) ?? ''
  return { tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] }
}

function blockDelta(delta: JsonObject, block: number, progress: Progress): JsonObject | undefined {
  const { text, toolUse, reasoningContent, citation } = delta
  if (typeof text === 'string') return { content: text }
  if (isJsonObject(toolUse)) return argumentsDelta(textOf(toolUse['input']) ?? '', block, progress)
  if (isJsonObject(reasoningContent)) return reasoningDelta(reasoningContent)
  const url = isJsonObject(citation) ? urlOf(citation) : undefined
  if (url === undefined || !isJsonObject(citation)) return undefined
  const title = textOf(citation['title']) ?? url
  return { annotations: [{ type: 'url_citation', url_citation: { url, title } }] }
}

function argumentsDelta(input: string, block: number, progress: Progress): JsonObject | undefined {
  if (block === progress.answerBlock) return { content: input }
  const call = progress.calls.get(block)
  if (call === undefined) return undefined
  call.hasArguments ||= input !== ''
  return { tool_calls: [{ index: call.index, function: { arguments: input } }] }
}

/** The signature comes in a delta of its own, after the thought. */
function reasoningDelta({ text, signature, redactedContent }: JsonObject): JsonObject | undefined {
  if (typeof text === 'string')
    return { reasoning_content: text, thinking_blocks: [{ type: 'thinking', thinking: text }] }
  if (typeof signature === 'string')
    return { thinking_blocks: [{ type: 'thinking', thinking: '', signature }] }
  if (typeof redactedContent !== 'string') return undefined
  return { thinking_blocks: [{ type: 'redacted_thinking', data: redactedContent }] }
}

/** A tool without arguments is called with none at all; OpenAI's clients parse what they get. */
function ended(block: number, progress: Progress): JsonObject | undefined {
  const call = progress.calls.get(block)
  if (call === undefined || call.hasArguments) return undefined
  return { tool_calls: [{ index: call.index, function: { arguments: '{}' } }] }
}
