import { isJsonObject } from '../../core/json.ts'
import type { Usage } from '../../core/answer-facts.ts'
import type { Json } from '../../core/json.ts'
import { countTokens } from './count-tokens.ts'
import { generateDictionary, messagesDictionary, responsesDictionary } from './dictionaries.ts'
import { generateWords } from './generate-answer.ts'
import { chatOfGenerate, countedRequest, wantsGoogle } from './generate-request.ts'
import { messageWords } from './messages-answer.ts'
import { chatOfMessages } from './messages-request.ts'
import { memberOf } from './read-json.ts'
import { responseWords } from './responses-answer.ts'
import { chatOfResponses, wantsKeeper } from './responses-request.ts'
import type { StreamSigns, Surface, SurfaceWords } from './surface.ts'

/** What Anthropic's clients say of the form of what they send. */
const ANTHROPIC_HEADERS = ['anthropic-version', 'anthropic-beta'] as const

/** https://docs.anthropic.com/en/docs/build-with-claude/streaming: `message_stop` is last; usage comes in two parts. */
const MESSAGE_SIGNS: StreamSigns = {
  telling: /"message_start"|"message_delta"|message_stop|"error"/,
  last: /^(?:event: *message_stop|data: *\{.*"type": *"message_stop")/,
  usage: (event) => {
    const usage = event['usage'] ?? memberOf(event['message'], 'usage')
    if (!isJsonObject(usage)) return undefined
    const parts = ['input_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens'].map(
      (name) => usage[name],
    )
    return usageFrom(
      parts.every((part) => typeof part !== 'number') ? undefined : sum(parts),
      usage['output_tokens'],
    )
  },
  error: (event) => (event['type'] === 'error' ? event : undefined),
}

/** https://platform.openai.com/docs/api-reference/responses-streaming: how the last event is called says how it ended. */
const RESPONSE_SIGNS: StreamSigns = {
  telling: /response\.(?:completed|incomplete|failed)|"error"/,
  last: /^(?:event: *response\.(?:completed|incomplete)|data: *\{.*"type": *"response\.(?:completed|incomplete)")/,
  usage: ({ response }) => {
    const usage = memberOf(response, 'usage')
    return usageFrom(memberOf(usage, 'input_tokens'), memberOf(usage, 'output_tokens'))
  },
  error: (event) => {
    if (event['type'] === 'error') return isJsonObject(event['error']) ? event : { error: event }
    return event['type'] === 'response.failed'
      ? { error: memberOf(event['response'], 'error') ?? 'failed' }
      : undefined
  },
}

/** https://ai.google.dev/api/generate-content: the last event says why the model stopped. */
const GENERATE_SIGNS: StreamSigns = {
  telling: /"finishReason"|"blockReason"|"usageMetadata"|"error"/,
  last: /"(?:finishReason|blockReason)": *"/,
  usage: ({ usageMetadata: usage }) =>
    usageFrom(
      memberOf(usage, 'promptTokenCount'),
      sum([memberOf(usage, 'candidatesTokenCount'), memberOf(usage, 'thoughtsTokenCount')]),
    ),
  error: (event) => (isJsonObject(event['error']) ? event : undefined),
}

/** Anthropic's Messages API. */
export const MESSAGES: Surface = {
  face: 'messages',
  what: 'chat',
  words: { request: chatOfMessages, answer: messageWords, dictionary: messagesDictionary },
  demands: { name: 'max_tokens', settledBy: ['max_tokens', 'max_completion_tokens'] },
  passedHeaders: ANTHROPIC_HEADERS,
  stream: MESSAGE_SIGNS,
}

/** Anthropic's count of a request's tokens. */
export const COUNT_TOKENS: Surface = {
  face: 'countTokens',
  what: 'way to count tokens beforehand',
  make: (body, line, ground) =>
    countTokens(
      chatOfMessages(body, ground).body,
      line,
      !ground.isMocked,
      (tokens) => ({ input_tokens: tokens }),
      body,
    ),
  passedHeaders: ANTHROPIC_HEADERS,
}

/** OpenAI's Responses API. */
export const RESPONSES: Surface = {
  face: 'responses',
  what: 'chat',
  words: { request: chatOfResponses, answer: responseWords, dictionary: responsesDictionary },
  stream: RESPONSE_SIGNS,
  remembers: 'response',
  wantsNative: wantsKeeper,
}

/** Gemini's words before deployments that speak others. */
const GENERATE_WORDS: SurfaceWords = {
  request: chatOfGenerate,
  answer: generateWords,
  dictionary: generateDictionary,
}

/** Gemini's own API. */
export const GENERATE_CONTENT: Surface = {
  face: 'generateContent',
  what: 'chat',
  words: GENERATE_WORDS,
  wantsNative: wantsGoogle,
}

/** The same, as events. */
export const STREAM_GENERATE_CONTENT: Surface = {
  ...GENERATE_CONTENT,
  face: 'streamGenerateContent',
  stream: GENERATE_SIGNS,
}

/** Its count of a request's tokens. */
export const COUNT_CONTENT: Surface = {
  face: 'countContent',
  what: 'way to count tokens beforehand',
  make: (body, line, ground) =>
    countTokens(chatOfGenerate(countedRequest(body), ground).body, line, !ground.isMocked, (tokens) => ({
      totalTokens: tokens,
    })),
}

function usageFrom(prompt: Json | undefined, completion: Json | undefined): Partial<Usage> | undefined {
  const facts = {
    ...(isCount(prompt) && { promptTokens: prompt }),
    ...(isCount(completion) && { completionTokens: completion }),
  }
  return Object.keys(facts).length === 0 ? undefined : facts
}

function sum(parts: readonly (Json | undefined)[]): number | undefined {
  const counts = parts.filter(isCount)
  return counts.length === 0 ? undefined : counts.reduce((all, each) => all + each, 0)
}

function isCount(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
