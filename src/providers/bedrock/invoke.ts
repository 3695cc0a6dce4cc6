import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, parseJson } from '../../core/json.ts'
import type { ChatChunk, ChatRequest, ChatResponse } from '../../core/mode.ts'
import { createFrameParser, type Frame } from '../../transport/event-stream.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Encoded, StreamDecoder, Target } from '../adapter.ts'
import { notAnAnswer, readAnswer, textOf } from '../answer.ts'
import { fromMessagesAnswer, isMessagesAnswer } from '../anthropic/messages-answer.ts'
import { toMessagesBody, withMarkedEnd } from '../anthropic/messages-body.ts'
import { openMessagesEvents } from '../anthropic/messages-events.ts'
import { BETA_MEMBER } from '../betas.ts'
import { JSON_HEADERS } from '../post-json.ts'
import { eventOf } from './converse-stream.ts'
import { answeredAt } from './finish.ts'
import { modelUrl, STREAM_HEADERS } from './model-id.ts'
import { eachOf } from '../each-of.ts'

const EXPECTED = 'a "message" with "content"'
/** https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html */
export const CLAUDE_VERSION = 'bedrock-2023-05-31'

/** Chat with a claude by InvokeModel, in Anthropic's own words: the path names the model and says whether it streams. */
export function encodeInvoke(request: ChatRequest, target: Target, id: string): Encoded {
  const { body, dropped, betas } = toMessagesBody(request, { ...target, model: id })
  // Tiers are Anthropic's own (https://platform.claude.com/docs/en/api/service-tiers).
  const { model: _, stream: __, service_tier: ___, ...rest } = withMarkedEnd(body)
  const isStream = request.stream === true
  return {
    method: 'POST',
    url: modelUrl(target.base, id, isStream ? 'invoke-with-response-stream' : 'invoke'),
    headers: isStream ? STREAM_HEADERS : JSON_HEADERS,
    body: JSON.stringify({
      anthropic_version: CLAUDE_VERSION,
      ...(betas.length > 0 && { [BETA_MEMBER]: betas }),
      ...rest,
    }),
    dropped,
  }
}

/** Claude's message in OpenAI's words. */
export function decodeInvoke(response: WireResponse, target: Target): ChatResponse {
  const body = readAnswer(response, EXPECTED)
  if (!isMessagesAnswer(body)) throw notAnAnswer(response, body, EXPECTED)
  return { ...fromMessagesAnswer(body, target), created: answeredAt(response) }
}

/** Anthropic's events, each in a frame of AWS's and in base64. */
export function openInvokeStream(target: Target): StreamDecoder<ChatChunk> {
  const parser = createFrameParser()
  const events = openMessagesEvents(target)
  const read = (frame: Frame): readonly ChatChunk[] => {
    const bytes = textOf(eventOf(frame).event['bytes'])
    const event = bytes === undefined ? undefined : parseJson(Buffer.from(bytes, 'base64').toString())
    if (!isJsonObject(event))
      throw new GatewayError('wrong_shape', 'the stream holds a chunk that is no JSON object')
    return events.push(event)
  }
  return {
    push: (bytes) => eachOf(parser.push(bytes), read),
    end: () => {
      parser.end()
      return events.end()
    },
  }
}
