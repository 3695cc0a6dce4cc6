import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { ChatResponse } from '../../core/mode.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Codec, Target } from '../adapter.ts'
import { notAnAnswer, readAnswer, textOf } from '../answer.ts'
import { postJson } from '../post-json.ts'
import { cohereAddress, isV1 } from './address.ts'
import { toCohereChat } from './chat-request.ts'
import { citedIn, logprobsOf } from './citations.ts'
import { openCohereStream } from './chat-stream.ts'
import { finishReason, usageOf } from './finish.ts'

/** Chat (https://docs.cohere.com/reference/chat), translated from and to OpenAI's words. */
export const cohereChat: Codec<'chat'> = {
  encode: (request, target) => {
    const { url, version } = cohereAddress(target, 'chat')
    const { said, dropped } = toCohereChat(request, target, version)
    return { ...postJson(url, said), dropped }
  },
  decode: (response, target) =>
    isV1(target, 'chat') ? decodeV1(response, target) : decodeV2(response, target),
  openStream: openCohereStream,
}

/** `{id, message: {role, content: [{type, text}]}, finish_reason, usage}` */
function decodeV2(response: WireResponse, target: Target): ChatResponse {
  const expected = 'a "message" with "content"'
  const body = readAnswer(response, expected)
  const message = body['message']
  if (!isJsonObject(message)) throw notAnAnswer(response, body, expected)
  const finish = finishReason(body['finish_reason'])
  const toolCalls = message['tool_calls']
  const hasTools = Array.isArray(toolCalls) && toolCalls.length > 0
  const parts = message['content']
  if (!Array.isArray(parts) && !hasTools && finish !== 'length') throw notAnAnswer(response, body, expected)
  const thinking = (textOf(message['tool_plan']) ?? '') + joined(parts, 'thinking')
  const text = joined(parts, 'text')
  const said = {
    role: 'assistant',
    content: text === '' && hasTools ? null : text,
    ...(thinking === '' ? {} : { reasoning_content: thinking }),
    ...(hasTools ? { tool_calls: toolCalls } : {}),
    ...citedIn(message['citations']),
  }
  const logprobs = logprobsOf(body['logprobs'])
  return toOpenAi(response, target, {
    id: textOf(body['id']),
    finish,
    logprobs,
    said,
    ...usageOf(body['usage']),
  })
}

/** `{text, generation_id, finish_reason, meta}` */
function decodeV1(response: WireResponse, target: Target): ChatResponse {
  const expected = '"text"'
  const body = readAnswer(response, expected)
  const text = body['text']
  if (typeof text !== 'string') throw notAnAnswer(response, body, expected)
  const id = textOf(body['generation_id']) ?? textOf(body['response_id'])
  const finish = finishReason(body['finish_reason'])
  const said = { role: 'assistant', content: text, ...citedIn(body['citations']) }
  return toOpenAi(response, target, { id, finish, logprobs: null, said, ...usageOf(body['meta']) })
}

/** What both versions answer. */
interface Said {
  readonly id: string | undefined
  readonly finish: string | null
  readonly logprobs: JsonObject | null
  readonly said: JsonObject
  readonly usage?: JsonObject
}

function toOpenAi(
  response: WireResponse,
  target: Target,
  { id, finish, logprobs, said: message, usage }: Said,
): ChatResponse {
  const isSilent =
    message['content'] === '' &&
    message['tool_calls'] === undefined &&
    message['reasoning_content'] === undefined
  if (isSilent && (finish === null || finish === 'stop')) {
    throw new GatewayError('empty', `answered ${response.status} with a message that says nothing`)
  }
  return {
    id: id ?? '',
    object: 'chat.completion',
    created: answeredAt(response),
    model: target.model,
    // OpenAI's description requires both, null where there are none; typed clients insist.
    choices: [{ index: 0, message: { ...message, refusal: null }, logprobs, finish_reason: finish }],
    ...(usage === undefined ? {} : { usage }),
  }
}

/** Seconds since 1970 by the answer's own clock; Cohere's body names no time. */
function answeredAt(response: WireResponse): number {
  const at = Date.parse(response.headers['date'] ?? '')
  return Number.isNaN(at) ? 0 : Math.floor(at / 1_000)
}

function joined(parts: Json | undefined, key: 'text' | 'thinking'): string {
  if (typeof parts === 'string') return key === 'text' ? parts : ''
  if (!Array.isArray(parts)) return ''
  return parts.map((part: Json) => (isJsonObject(part) ? (textOf(part[key]) ?? '') : '')).join('')
}
