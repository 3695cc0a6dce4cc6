import { isJsonObject } from '../../core/json.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ChatChunk, ChatMessage, ChatRequest } from '../../core/mode.ts'
import type { Translation } from '../request/operation.ts'
import { refuse } from '../request/request.ts'
import { createChunkWriter } from './chunk-writer.ts'

/** Chat: the neutral form is OpenAI's own. */
export const CHAT_TRANSLATION: Translation<'chat'> = {
  read: (body) => {
    const messages = body['messages']
    if (!Array.isArray(messages)) throw refuse("'messages' must be an array.", 'messages')
    const checked: ChatMessage[] = messages.filter(isMessage)
    if (checked.length < messages.length)
      throw refuse("every message must be an object with a 'role'.", 'messages')
    const { max_tokens: most, max_completion_tokens: mostOfAll, stream, ...rest } = body
    return {
      ...rest,
      messages: checked,
      ...(typeof most === 'number' && { max_tokens: most }),
      ...(typeof mostOfAll === 'number' && { max_completion_tokens: mostOfAll }),
      ...(stream === true && { stream }),
    }
  },
  answer: (value) => value,
  isWanted: ({ choices, usage }, request) =>
    choices.length > 0 || (usage !== undefined && asksForUsage(request)),
  writer: createChunkWriter,
  isPing: ({ choices, usage }) => choices.length === 0 && usage === undefined,
  events: (value) => {
    const { id, created, model, choices, usage } = value
    const chunk = (pieces: readonly JsonObject[], more: JsonObject = {}): ChatChunk => ({
      id,
      object: 'chat.completion.chunk',
      created,
      model,
      choices: pieces,
      ...more,
    })
    return [
      ...choices.map(({ index, message }) => chunk([{ index, delta: message, finish_reason: null }])),
      ...choices.map(({ index, finish_reason: finish }) =>
        chunk([{ index, delta: {}, finish_reason: finish ?? 'stop' }]),
      ),
      ...(usage === undefined ? [] : [chunk([], { usage })]),
    ]
  },
}

function isMessage(value: unknown): value is ChatMessage {
  return isJsonObject(value) && typeof value['role'] === 'string'
}

/** OpenAI sends the last chunk, usage and no choices, only to who asks: others read `choices[0]` unseen. */
function asksForUsage(request: ChatRequest): boolean {
  const options = request['stream_options']
  return isJsonObject(options) && options['include_usage'] === true
}
