import type { JsonObject } from '../core/json.ts'
import { isJsonObject } from '../core/json.ts'
import type { Call } from './call.ts'

const DONE = 'data: [DONE]\n\n'
const USAGE = { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 } as const

/** A streamed chat: role, `po`, `ng`, stop, the usage chunk where asked for, `[DONE]`. One piece an event. */
export function openaiChatStream(call: Call): readonly string[] {
  const options = call.json?.['stream_options']
  const withUsage = isJsonObject(options) && options['include_usage'] === true
  const chunk = (choices: readonly JsonObject[], more: JsonObject = {}): string =>
    event({
      id: 'chatcmpl-1',
      object: 'chat.completion.chunk',
      created: 1700000000,
      model: call.model,
      choices,
      // With include_usage every chunk but the last has a null one (OpenAI's API description).
      ...(withUsage ? { usage: null } : {}),
      ...more,
    })
  const delta = (delta: JsonObject, finish: string | null = null): string =>
    chunk([{ index: 0, delta, finish_reason: finish }])
  return [
    ...(call.route.dialect === 'azure' ? [chunk([], { prompt_filter_results: [] })] : []),
    delta({ role: 'assistant', content: '' }),
    delta({ content: 'po' }),
    delta({ content: 'ng' }),
    delta({}, 'stop'),
    ...(withUsage ? [chunk([], { usage: USAGE })] : []),
    DONE,
  ]
}

/** A streamed completion. */
export function completionStream(call: Call): readonly string[] {
  const chunk = (text: string, finish: string | null): string =>
    event({
      id: 'cmpl-1',
      object: 'text_completion',
      created: 1700000000,
      model: call.model,
      choices: [{ index: 0, text, finish_reason: finish, logprobs: null }],
    })
  return [chunk('po', null), chunk('ng', null), chunk('', 'stop'), DONE]
}

function event(data: JsonObject): string {
  return `data: ${JSON.stringify(data)}\n\n`
}
