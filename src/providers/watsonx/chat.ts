import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { ChatChoice, ChatChunk, ChatResponse } from '../../core/mode.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Codec, StreamDecoder, Target } from '../adapter.ts'
import { textOf } from '../answer.ts'
import { decodeChat } from '../openai/chat.ts'
import { openChunkStream } from '../openai/chunk-stream.ts'
import { postJson } from '../post-json.ts'
import { watsonxUrl } from './address.ts'
import { toWatsonxChat } from './chat-request.ts'
import { finishReason } from './finish.ts'

/** What watsonx says besides. */
const OWN = ['model_id', 'model_version', 'created_at', 'system'] as const

/** Chat (https://cloud.ibm.com/apidocs/watsonx-ai#text-chat): its answers are OpenAI's with some members more. */
export const watsonxChat: Codec<'chat'> = {
  encode: (request, target) => {
    const { body, dropped } = toWatsonxChat(request, target)
    const url = watsonxUrl(target, request.stream === true ? 'text/chat_stream' : 'text/chat')
    return { ...postJson(url, body), ...(dropped.length > 0 && { dropped }) }
  },
  decode,
  openStream: openWatsonxStream,
}

function decode(response: WireResponse, target: Target): ChatResponse {
  const answer = decodeChat(response, target)
  const own: ReadonlySet<string> = new Set(OWN)
  return {
    ...Object.fromEntries(Object.entries(answer).filter(([name]) => !own.has(name))),
    id: answer.id,
    object: answer.object,
    created: answer.created,
    model: textOf(answer['model_id']) ?? answer.model,
    choices: answer.choices.map(withNulls),
  }
}

/** OpenAI's description requires these, null where there are none; typed clients insist. */
function withNulls(choice: ChatChoice): ChatChoice {
  const finish_reason = finishReason(choice['finish_reason'])
  return {
    logprobs: null,
    ...choice,
    message: { refusal: null, content: null, ...choice.message },
    finish_reason,
  }
}

/** Server-sent events with OpenAI's chunks; the last one has the usage, and no `[DONE]` follows. */
export function openWatsonxStream(target: Target): StreamDecoder<ChatChunk> {
  return openChunkStream(target, {
    choice: (choice) => ({
      ...choice,
      delta: isJsonObject(choice['delta']) ? choice['delta'] : NOTHING,
      finish_reason: finishReason(choice['finish_reason']),
    }),
    without: OWN,
  })
}

const NOTHING: JsonObject = {}
