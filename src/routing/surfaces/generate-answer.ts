import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { callsOf, namesOf, readChoices, thoughtOf, usageIn, wordsOf } from './chat-answer.ts'
import type { ChatChoice } from './chat-answer.ts'
import { callPart, signed } from './generate-calls.ts'
import { openGenerateEvents } from './generate-events.ts'
import { groundingMetadata } from './generate-grounding.ts'
import { wantsThoughts } from './generate-request.ts'
import { contentOf, finishReason, logprobsResult, pictureParts, responseOf } from './generate-words.ts'
import { memberOf, textOf } from './read-json.ts'
import type { AnswerWords } from './surface.ts'

/** Answers as Gemini's `GenerateContentResponse` (https://ai.google.dev/api/generate-content#generatecontentresponse). */
export function generateWords(asked: JsonObject): AnswerWords {
  const isThinkingShown = wantsThoughts(asked)
  return {
    whole: (json) =>
      responseOf(
        namesOf(json),
        readChoices(json).map((choice) => candidateOf(choice, isThinkingShown)),
        usageIn(json),
      ),
    openStream: () => openGenerateEvents(isThinkingShown),
  }
}

function candidateOf(choice: ChatChoice, isThinkingShown: boolean): JsonObject {
  const { index, message, finish, logprobs } = choice
  const thought = isThinkingShown ? thoughtOf(message) : ''
  const refusal = textOf(message['refusal']) ?? ''
  const said = wordsOf(message)
  const probabilities = memberOf(logprobs, 'content')
  const result = Array.isArray(probabilities) ? logprobsResult(probabilities) : undefined
  const grounding = groundingMetadata(message['annotations'], said)
  const calls = callsOf(message).flatMap((call) => callPart(call, finish === 'length'))
  return {
    content: contentOf([
      ...(thought === '' ? [] : [{ text: thought, thought: true }]),
      ...[said, refusal].filter((text) => text !== '').map((text) => ({ text })),
      ...pictureParts(message['images']),
      ...signed(calls, thoughtsOf(message)),
    ]),
    finishReason: finishReason(finish, refusal !== ''),
    index,
    ...(result !== undefined && { logprobsResult: result }),
    ...(grounding !== undefined && { groundingMetadata: grounding }),
  }
}

function thoughtsOf({ thinking_blocks: blocks }: JsonObject): readonly JsonObject[] {
  return Array.isArray(blocks) ? blocks.filter((block: Json) => isJsonObject(block)) : []
}
