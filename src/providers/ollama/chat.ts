import { GatewayError } from '../../core/failure.ts'
import { isJsonObject } from '../../core/json.ts'
import type { ChatResponse } from '../../core/mode.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Codec, Target } from '../adapter.ts'
import { notAnAnswer, readAnswer, textOf } from '../answer.ts'
import { postJson } from '../post-json.ts'
import { ollamaUrl } from './address.ts'
import { callsOf, createdOf, finishOf, idOf, logprobsOf, usageOf } from './answer-facts.ts'
import { toOllamaChat } from './chat-request.ts'
import { openOllamaChat } from './chat-stream.ts'

const EXPECTED = 'a "message" with "content"'

/** Chat (https://docs.ollama.com/api/chat), translated from and to OpenAI's words. */
export const ollamaChat: Codec<'chat'> = {
  encode: (request, target) => {
    const { said, dropped } = toOllamaChat(request, target)
    return { ...postJson(ollamaUrl(target, 'chat'), said), dropped }
  },
  // Ollama fetches nothing.
  inlines: () => true,
  strangersIn: () => 'options',
  decode,
  openStream: openOllamaChat,
}

function decode(response: WireResponse, target: Target): ChatResponse {
  const body = readAnswer(response, EXPECTED)
  const message = body['message']
  if (!isJsonObject(message)) throw notAnAnswer(response, body, EXPECTED)
  const content = textOf(message['content'])
  const calls = callsOf(message['tool_calls'], body, 0)
  const thinking = textOf(message['thinking']) ?? ''
  if (content === undefined && calls.length === 0) throw notAnAnswer(response, body, EXPECTED)
  const finish = finishOf(body, calls.length > 0)
  if ((content ?? '') === '' && thinking === '' && finish === 'stop')
    throw new GatewayError('empty', `answered ${response.status} with a message that says nothing`)
  return {
    id: idOf(body, 'chatcmpl'),
    object: 'chat.completion',
    created: createdOf(body),
    model: textOf(body['model']) ?? target.model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: content === '' && calls.length > 0 ? null : (content ?? null),
          refusal: null,
          ...(thinking === '' ? {} : { reasoning_content: thinking }),
          ...(calls.length === 0 ? {} : { tool_calls: calls }),
        },
        logprobs: logprobsOf(body),
        finish_reason: finish,
      },
    ],
    ...usageOf(body),
  }
}
