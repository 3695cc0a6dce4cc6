import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { ChatChoice, ChatResponse } from '../../core/mode.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Codec, Target } from '../adapter.ts'
import { notAnAnswer, numberOf, readAnswer, textOf } from '../answer.ts'
import { postJson } from '../post-json.ts'
import { annotationsOf } from './annotations.ts'
import { signatureField, wordsOf } from './candidate.ts'
import { toGeminiChat } from './chat-request.ts'
import { openGeminiStream, secondsOf } from './chat-stream.ts'
import { blockedPrompt, finishReason, logprobsOf, usageOf } from './finish.ts'
import type { Surface } from './surface.ts'

const EXPECTED = '"candidates"'

/** Chat by `generateContent` (https://ai.google.dev/api/generate-content), translated from and to OpenAI's words. */
export function geminiChat(surface: Surface): Codec<'chat'> {
  return {
    encode: (request, target) => {
      const { body, dropped } = toGeminiChat(request, target, surface)
      const method = request.stream === true ? 'streamGenerateContent?alt=sse' : 'generateContent'
      return { ...postJson(surface.url(target, method), body), ...(dropped.length > 0 && { dropped }) }
    },
    strangersIn: () => 'generationConfig',
    inlines: (url) => /^https?:/.test(url) && !surface.reads(url),
    decode: decodeChat,
    openStream: openGeminiStream,
  }
}

function decodeChat(response: WireResponse, target: Target): ChatResponse {
  const body = readAnswer(response, EXPECTED)
  const blocked = blockedPrompt(body)
  if (blocked !== undefined) throw blocked
  const candidates = body['candidates']
  const listed: readonly JsonObject[] = Array.isArray(candidates) ? candidates.filter(isJsonObject) : []
  if (listed.length === 0) throw notAnAnswer(response, body, EXPECTED)
  const id = textOf(body['responseId']) ?? ''
  const choices = listed.map((candidate, at) => choiceOf(candidate, at, id))
  if (choices.every(({ isProof }) => !isProof)) throw notAnAnswer(response, body, '"parts" or "finishReason"')
  return {
    id,
    object: 'chat.completion',
    created: secondsOf(body['createTime']) ?? answeredAt(response),
    model: textOf(body['modelVersion']) ?? target.model,
    choices: choices.map(({ choice }) => choice),
    ...usageOf(body['usageMetadata']),
  }
}

function choiceOf(
  candidate: JsonObject,
  at: number,
  responseId: string,
): { readonly choice: ChatChoice; readonly isProof: boolean } {
  const index = numberOf(candidate['index']) ?? at
  const content = candidate['content']
  const words = wordsOf(isJsonObject(content) ? content['parts'] : undefined, {
    responseId,
    candidate: index,
    calls: 0,
    images: 0,
  })
  const { text, reasoning, calls, images, signature } = words
  const isSilent = text === '' && reasoning === '' && calls.length === 0 && images.length === 0
  const finish = finishReason(candidate, { isSilent, hasCalls: calls.length > 0 })
  const annotations = annotationsOf(candidate, text)
  const message = {
    role: 'assistant',
    content: text === '' && calls.length > 0 ? null : text,
    refusal: null,
    ...(reasoning !== '' && { reasoning_content: reasoning }),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(images.length > 0 && { images }),
    ...(annotations.length > 0 && { annotations }),
    ...signatureField(signature),
  }
  const logprobs = logprobsOf(candidate['logprobsResult'])
  return {
    choice: { index, message, logprobs, finish_reason: finish },
    isProof: !isSilent || finish !== null,
  }
}

/** Seconds since 1970 by the answer's own clock, where its body names no time. */
function answeredAt(response: WireResponse): number {
  const at = Date.parse(response.headers['date'] ?? '')
  return Number.isNaN(at) ? 0 : Math.floor(at / 1_000)
}
