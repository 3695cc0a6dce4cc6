import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { ChatChunk } from '../../core/mode.ts'
import type { StreamDecoder, Target } from '../adapter.ts'
import { textOf } from '../answer.ts'
import { callsOf, createdOf, finishOf, idOf, logprobsOf, usageOf } from './answer-facts.ts'
import { openLines } from './lines.ts'

/** Ollama's lines as OpenAI's chunks. A call comes whole, in one line; calls are counted over the whole stream. */
export function openOllamaChat(target: Target): StreamDecoder<ChatChunk> {
  let first: JsonObject | undefined
  let calls = 0
  return openLines((body) => {
    const isFirst = first === undefined
    first ??= body
    const whole = first
    const chunk = (choices: readonly JsonObject[], usage: JsonObject = {}): ChatChunk => ({
      id: idOf(whole, 'chatcmpl'),
      object: 'chat.completion.chunk',
      created: createdOf(whole),
      model: textOf(whole['model']) ?? target.model,
      choices,
      ...usage,
    })
    const listed = isJsonObject(body['message']) ? body['message']['tool_calls'] : undefined
    const called = callsOf(listed, whole, calls).map((call, at) => numbered(call, calls + at))
    calls += called.length
    const delta = { ...(isFirst && { role: 'assistant', content: '' }), ...deltaOf(body, called) }
    const logprobs = logprobsOf(body)
    const said =
      Object.keys(delta).length === 0 && logprobs === null
        ? []
        : [chunk([{ index: 0, delta, ...(logprobs !== null && { logprobs }), finish_reason: null }])]
    return body['done'] === true ? [...said, ...lastChunks(body, calls > 0, chunk)] : said
  })
}

function numbered(call: JsonObject, index: number): JsonObject {
  return { index, ...call }
}

function deltaOf(body: JsonObject, called: readonly JsonObject[]): JsonObject {
  const message = isJsonObject(body['message']) ? body['message'] : {}
  const content = textOf(message['content']) ?? ''
  const thinking = textOf(message['thinking']) ?? ''
  return {
    ...(content === '' ? {} : { content }),
    ...(thinking === '' ? {} : { reasoning_content: thinking }),
    ...(called.length === 0 ? {} : { tool_calls: called }),
  }
}

function lastChunks(
  body: JsonObject,
  hasCalls: boolean,
  chunk: (choices: readonly JsonObject[], usage?: JsonObject) => ChatChunk,
): readonly ChatChunk[] {
  const end = chunk([{ index: 0, delta: {}, finish_reason: finishOf(body, hasCalls) }])
  const usage = usageOf(body)
  return usage.usage === undefined ? [end] : [end, chunk([], usage)]
}
