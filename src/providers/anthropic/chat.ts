import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type JsonObject, parseJson } from '../../core/json.ts'
import type { ChatChunk } from '../../core/mode.ts'
import { createSseParser, type SseEvent } from '../../transport/sse.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Codec, StreamDecoder, Target } from '../adapter.ts'
import { notAnAnswer, readAnswer } from '../answer.ts'
import { withBetas } from '../betas.ts'
import { bodyText } from '../error-facts.ts'
import { postJson } from '../post-json.ts'
import { anthropicUrl } from './address.ts'
import { fromMessagesAnswer, isMessagesAnswer } from './messages-answer.ts'
import { toMessagesBody } from './messages-body.ts'
import { openMessagesEvents } from './messages-events.ts'
import { errorWithin } from './refusals.ts'
import { eachOf } from '../each-of.ts'

const EXPECTED = 'a "message" with "content"'

/** Chat over `POST /v1/messages`, translated from and to OpenAI's words. */
export const anthropicChat: Codec<'chat'> = {
  encode: (request, target) => {
    const { body, dropped, betas } = toMessagesBody(request, target, versionOf(target))
    const wire = withBetas(postJson(anthropicUrl(target, '/messages'), body), betas)
    return dropped.length > 0 ? { ...wire, dropped } : wire
  },
  readsThinking: () => true,
  readsBetas: () => true,
  // Anthropic fetches https alone (https://platform.claude.com/docs/en/build-with-claude/vision).
  inlines: (url) => /^http:/i.test(url),
  decode: (response, target) => ({
    ...fromMessagesAnswer(readMessage(response), target),
    created: answeredAt(response),
  }),
  openStream: openAnthropicStream,
}

function versionOf({ apiVersion }: Target): { readonly version?: string } {
  return apiVersion === undefined ? {} : { version: apiVersion }
}

function readMessage(response: WireResponse): JsonObject {
  const event = parseJson(bodyText(response))
  if (isJsonObject(event) && event['type'] === 'error') throw errorWithin(event)
  const body = readAnswer(response, EXPECTED)
  if (!isMessagesAnswer(body)) throw notAnAnswer(response, body, EXPECTED)
  return body
}

/** Seconds since 1970 by the answer's own clock: the message names no time. */
function answeredAt(response: WireResponse): number {
  const at = Date.parse(response.headers['date'] ?? '')
  return Number.isNaN(at) ? 0 : Math.floor(at / 1_000)
}

/** The same events as they come over HTTP: each has its type in its name and in its data. */
export function openAnthropicStream(target: Target): StreamDecoder<ChatChunk> {
  const parser = createSseParser()
  const events = openMessagesEvents(target)
  const read = ({ data }: SseEvent): readonly ChatChunk[] => {
    const event = textDelta(data) ?? parseJson(data)
    if (!isJsonObject(event))
      throw new GatewayError('wrong_shape', 'the stream holds an event that is no JSON object')
    return events.push(event)
  }
  return {
    push: (bytes) => eachOf(parser.push(bytes), read),
    end: () => [...parser.end().flatMap(read), ...events.end()],
    passed: (chars) => events.passed(chars),
  }
}

const TEXT_DELTA =
  /^\{"type":"content_block_delta","index":(\d{1,6}),"delta":\{"type":"text_delta","text":"([ !#-[\]-\uffff]*)"\}\s*\}$/

/** Nearly all events of a stream are text with nothing escaped in it, which costs a fraction of what parsing does. */
function textDelta(data: string): JsonObject | undefined {
  const found = TEXT_DELTA.exec(data)
  if (found === null) return undefined
  const [, index, text = ''] = found
  return { type: 'content_block_delta', index: Number(index), delta: { type: 'text_delta', text } }
}
