import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { ChatResponse } from '../../core/mode.ts'
import type { Target } from '../adapter.ts'
import { textOf } from '../answer.ts'
import { toAnnotations } from './annotations.ts'
import { finishReason, refusalOf, usageOf } from './ending.ts'

/** True for a message of Claude's; it may have nothing to say. */
export function isMessagesAnswer(body: JsonObject): boolean {
  return body['type'] === 'message' && Array.isArray(body['content'])
}

/**
 * A message of Claude's as OpenAI's chat completion: `created` is 0, for it names no time. What it does itself (searches,
 * code that it runs) is told in `provider_specific_fields.blocks`.
 */
export function fromMessagesAnswer(body: JsonObject, target: Target): ChatResponse {
  const reason = body['stop_reason']
  const finish = finishReason(reason)
  const stopped = textOf(body['stop_sequence'])
  const choice = {
    index: 0,
    message: messageOf(body['content'], refusalOf(reason, body['stop_details'])),
    logprobs: null,
    finish_reason: finish,
    // Servers of open models say under this name which stop sequence was met.
    ...(stopped !== undefined && { stop_reason: stopped }),
  }
  const { usage } = body
  return {
    id: textOf(body['id']) ?? '',
    object: 'chat.completion',
    created: 0,
    model: textOf(body['model']) ?? target.model,
    choices: [choice],
    ...(isJsonObject(usage) && { usage: usageOf(usage) }),
  }
}

/** A call of the client's tool. */
export function toToolCall(block: JsonObject): JsonObject {
  return {
    id: textOf(block['id']) ?? '',
    type: 'function',
    function: { name: textOf(block['name']) ?? '', arguments: JSON.stringify(block['input'] ?? {}) },
  }
}

/** Blocks that have a place in OpenAI's message. */
const KNOWN = new Set(['text', 'thinking', 'redacted_thinking', 'tool_use'])

function messageOf(content: Json | undefined, refusal: string | null): JsonObject {
  const blocks = Array.isArray(content) ? content.filter(isJsonObject) : []
  const ofType = (...types: readonly string[]): readonly JsonObject[] =>
    blocks.filter((block) => types.includes(textOf(block['type']) ?? ''))
  const { text, annotations } = words(ofType('text'))
  const thoughts = ofType('thinking', 'redacted_thinking')
  const reasoning = thoughts.map((block) => textOf(block['thinking']) ?? '').join('')
  const calls = ofType('tool_use').map(toToolCall)
  const others = blocks.filter((block) => !KNOWN.has(textOf(block['type']) ?? ''))
  return {
    role: 'assistant',
    content: text === '' && calls.length > 0 ? null : text,
    refusal,
    ...(reasoning !== '' && { reasoning_content: reasoning }),
    ...(thoughts.length > 0 && { thinking_blocks: thoughts }),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(annotations.length > 0 && { annotations }),
    ...(others.length > 0 && { provider_specific_fields: { blocks: others } }),
  }
}

function words(blocks: readonly JsonObject[]): {
  readonly text: string
  readonly annotations: readonly JsonObject[]
} {
  let text = ''
  const annotations: JsonObject[] = []
  for (const block of blocks) {
    const start = text.length
    text += textOf(block['text']) ?? ''
    annotations.push(...toAnnotations(block['citations'], start, text.length))
  }
  return { text, annotations }
}
