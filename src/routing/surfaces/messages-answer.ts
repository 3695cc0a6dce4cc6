import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { argumentsOf, callsOf, readAnswer, thoughtOf, wordsOf } from './chat-answer.ts'
import type { ChatAnswer, ToolCall } from './chat-answer.ts'
import { openMessageEvents } from './messages-events.ts'
import { messageId, stopReason, usageOf } from './messages-words.ts'
import { textOf } from './read-json.ts'
import type { AnswerWords } from './surface.ts'

/** Answers as Anthropic's messages (https://docs.anthropic.com/en/api/messages, …/messages-streaming). */
export function messageWords(): AnswerWords {
  return { whole: messageOf, openStream: openMessageEvents }
}

function messageOf(json: JsonObject): JsonObject {
  const answer = readAnswer(json)
  return {
    id: messageId(answer.id),
    type: 'message',
    role: 'assistant',
    model: answer.model,
    content: contentOf(answer),
    stop_reason: stopOf(answer),
    stop_sequence: null,
    usage: usageOf(answer.usage),
  }
}

function contentOf({ message, finish }: ChatAnswer): readonly JsonObject[] {
  const said = wordsOf(message)
  const refusal = textOf(message['refusal']) ?? ''
  return [
    ...thoughtBlocks(message),
    ...[said, refusal].filter((text) => text !== '').map((text) => ({ type: 'text', text })),
    ...callsOf(message).flatMap((call) => toolUse(call, finish === 'length')),
  ]
}

/** Blocks that came from Anthropic's models keep their signatures. */
function thoughtBlocks(message: JsonObject): readonly JsonObject[] {
  const blocks = message['thinking_blocks']
  if (Array.isArray(blocks) && blocks.length > 0) return blocks.filter((block: Json) => isJsonObject(block))
  const thought = thoughtOf(message)
  return thought === '' ? [] : [{ type: 'thinking', thinking: thought, signature: '' }]
}

/** A call that the budget cut off in the middle cannot be made, and is left out. */
function toolUse(call: ToolCall, mayBeCut: boolean): readonly JsonObject[] {
  const { id, name } = call
  const input = argumentsOf(call, mayBeCut)
  return input === undefined ? [] : [{ type: 'tool_use', id, name, input }]
}

function stopOf({ message, finish }: Pick<ChatAnswer, 'message' | 'finish'>): string {
  return stopReason(finish, callsOf(message).length > 0, textOf(message['refusal']) !== undefined)
}
