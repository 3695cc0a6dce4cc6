import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { ChatChoice, ChatResponse } from '../../core/mode.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Codec, Target } from '../adapter.ts'
import { unmarkedTool, untold, withoutCacheControl } from '../untold.ts'
import { notAnAnswer, numberOf, readAnswer, textOf } from '../answer.ts'
import { relayBody } from './relay.ts'
import { postBody, type Surface } from './surface.ts'

const EXPECTED = 'a non-empty "choices" array of messages'

/** Chat completions (https://platform.openai.com/docs/api-reference/chat/create). */
export function chatCodec(surface: Surface): RelayedChat {
  const alike = {
    encode: (request, target) => postBody(surface, 'chat', request, target),
    decode: (response, target) => decodeChat(response, target, surface.thoughts),
    relay: relayBody(surface, 'chat'),
  } satisfies Codec<'chat'>
  const { isOpenAis } = surface
  return isOpenAis === undefined ? alike : { ...withoutMarks(alike, isOpenAis), lacksTopK: isOpenAis }
}

/** One whose bodies need no translation. */
export type RelayedChat = Codec<'chat'> & Required<Pick<Codec<'chat'>, 'relay'>>

/** As it stands in a body; in a text its quotes are escaped. */
const MARK = Buffer.from('"cache_control"')

/** What is told below the top level by who passes OpenAI's words on, but for marks of caches. */
export const TOLD_BELOW: ReadonlySet<string> = new Set([
  'messages[].audio',
  'messages[].content[].image_url.detail',
  'messages[].name',
  'messages[].refusal',
  'tools',
  'tools[].function.strict',
])

/**
 * Passes bodies on, but for those with Anthropic's marks of caches in them, which many clients set whomever they ask:
 * of these it leaves the marks out, as LiteLLM does. The answer is OpenAI's all the same.
 */
function withoutMarks(alike: RelayedChat, isOpenAis: (target: Target) => boolean): RelayedChat {
  return {
    ...alike,
    answersAsIs: true,
    relay: { ...alike.relay, takes: (target, body) => !isOpenAis(target) || !body.includes(MARK) },
    encode: (request, target) => {
      if (!isOpenAis(target)) return alike.encode(request, target)
      const { tools } = request
      const bare = {
        ...request,
        messages: request.messages.map(withoutCacheControl),
        ...(Array.isArray(tools) && { tools: tools.map(unmarkedTool) }),
      }
      const dropped = untold(request, TOLD_BELOW)
      return { ...alike.encode(bare, target), ...(dropped.length > 0 && { dropped }) }
    },
  }
}

/**
 * Proof of life: a choice that holds a message. A message may be empty where something says why: it was cut
 * by length, filtered, refused, or it calls a tool or thinks aloud.
 */
export function decodeChat(response: WireResponse, target: Target, thoughts?: string): ChatResponse {
  const body = readAnswer(response, EXPECTED)
  const listed = body['choices']
  if (!Array.isArray(listed) || listed.length === 0) throw notAnAnswer(response, body, EXPECTED)
  const choices = listed.map((choice: Json, index) => readChoice(choice, index, response, body))
  if (choices.every(isSilent))
    throw new GatewayError('empty', `answered ${response.status} with a message that says nothing`)
  const { usage, ...rest } = body
  return {
    ...rest,
    id: textOf(body['id']) ?? '',
    object: 'chat.completion',
    created: numberOf(body['created']) ?? 0,
    model: textOf(body['model']) ?? target.model,
    choices: thoughts === undefined ? choices : choices.map((choice) => withThoughts(choice, thoughts)),
    ...(isJsonObject(usage) ? { usage } : {}),
  }
}

function readChoice(choice: Json, index: number, response: WireResponse, body: JsonObject): ChatChoice {
  if (!isJsonObject(choice)) throw notAnAnswer(response, body, EXPECTED)
  const broken = choice['error']
  // Aggregators report an upstream that broke off in the middle inside the choice.
  if (isJsonObject(broken)) throw notAnAnswer(response, { error: broken }, EXPECTED)
  const message = choice['message']
  if (!isJsonObject(message)) throw notAnAnswer(response, body, EXPECTED)
  return {
    ...choice,
    index: numberOf(choice['index']) ?? index,
    message,
    finish_reason: textOf(choice['finish_reason']) ?? null,
  }
}

/** What clients of LiteLLM read as `reasoning_content`, under that name too. */
function withThoughts(choice: ChatChoice, name: string): ChatChoice {
  const { message } = choice
  const text = message[name]
  if (typeof text !== 'string' || message['reasoning_content'] !== undefined) return choice
  return { ...choice, message: { ...message, reasoning_content: text } }
}

const SPOKEN = [
  'content',
  'refusal',
  'tool_calls',
  'function_call',
  'reasoning_content',
  'reasoning',
  'thinking_blocks',
  'audio',
  'images',
] as const

function isSilent(choice: ChatChoice): boolean {
  if (choice.finish_reason !== null && choice.finish_reason !== 'stop') return false
  return SPOKEN.every((part) => isBlank(choice.message[part]))
}

function isBlank(value: Json | undefined): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
}
