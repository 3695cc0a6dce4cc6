import type { JsonObject } from '../../core/json.ts'
import { callsOf, readAnswer, thoughtOf, wordsOf } from './chat-answer.ts'
import type { ChatAnswer } from './chat-answer.ts'
import { textOf } from './read-json.ts'
import { openResponseEvents } from './responses-events.ts'
import {
  callItem,
  endOf,
  frameOf,
  logprobsOf,
  messageItem,
  reasoningItem,
  textContent,
  usageOf,
} from './responses-words.ts'
import type { ResponseFrame } from './responses-words.ts'
import type { AnswerGround, AnswerWords } from './surface.ts'

/** Answers as OpenAI's responses (https://platform.openai.com/docs/api-reference/responses/object). */
export function responseWords(asked: JsonObject, ground: AnswerGround): AnswerWords {
  const frame = frameOf(asked, ground)
  return {
    whole: (json) => responseOf(frame, readAnswer(json)),
    openStream: () => openResponseEvents(frame, ground.line.redact),
  }
}

function responseOf(frame: ResponseFrame, answer: ChatAnswer): JsonObject {
  return frame.at(answer.model, answer.id, {
    ...endOf(answer.finish),
    output: outputOf(answer),
    usage: usageOf(answer.usage),
  })
}

function outputOf({ id, message, finish, logprobs }: ChatAnswer): readonly JsonObject[] {
  const status = endOf(finish).status
  const thought = thoughtOf(message)
  const said = wordsOf(message)
  const refusal = textOf(message['refusal']) ?? ''
  const content = [
    ...(said === '' ? [] : [textContent(said, logprobsOf(logprobs), message['annotations'])]),
    ...(refusal === '' ? [] : [{ type: 'refusal', refusal }]),
  ]
  const calls = callsOf(message)
  return [
    ...(thought === '' ? [] : [reasoningItem(id, thought)]),
    ...(content.length === 0 && calls.length > 0 ? [] : [messageItem(id, status, content)]),
    ...calls.map(({ id: callId, name, arguments: text }, at) =>
      callItem(`${id}_${at}`, status, callId, name, text),
    ),
  ]
}
