import type { JsonObject } from '../core/json.ts'
import { isJsonObject } from '../core/json.ts'
import type { Call } from './call.ts'
import { calledTools, chatCallDeltas } from './called-tools.ts'

const DONE = 'data: [DONE]\n\n'
const USAGE = { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 } as const

/** A streamed chat: role, `po`, `ng`, stop, the usage chunk where asked for, `[DONE]`. One piece an event. */
export function openaiChatStream(call: Call): readonly string[] {
  const tools = calledTools(call)
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
    ...(tools.length > 0
      ? chatCallDeltas(tools).map((piece) => delta(piece))
      : [delta({ content: 'po' }), delta({ content: 'ng' })]),
    delta({}, tools.length > 0 ? 'tool_calls' : 'stop'),
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

/** Cohere's v2 chat stream: named events, message-start to message-end (Cohere, streaming guide). */
export function cohereChatStream(): readonly string[] {
  const named = (data: JsonObject & { readonly type: string }): string =>
    `event: ${data.type}\n${event(data)}`
  const text = (text: string): string =>
    named({ type: 'content-delta', index: 0, delta: { message: { content: { text } } } })
  return [
    named({
      type: 'message-start',
      id: 'c1',
      delta: { message: { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] } },
    }),
    named({ type: 'content-start', index: 0, delta: { message: { content: { type: 'text', text: '' } } } }),
    text('po'),
    text('ng'),
    named({ type: 'content-end', index: 0 }),
    named({
      type: 'message-end',
      delta: {
        finish_reason: 'COMPLETE',
        usage: {
          billed_units: { input_tokens: 5, output_tokens: 1 },
          tokens: { input_tokens: 5, output_tokens: 1 },
        },
      },
    }),
    DONE,
  ]
}

/** Cohere's v1 chat stream: one JSON object a line. */
export function cohereChatV1Stream(): readonly string[] {
  const line = (data: JsonObject): string => `${JSON.stringify(data)}\n`
  return [
    line({ is_finished: false, event_type: 'stream-start', generation_id: 'g' }),
    line({ is_finished: false, event_type: 'text-generation', text: 'po' }),
    line({ is_finished: false, event_type: 'text-generation', text: 'ng' }),
    line({
      is_finished: true,
      event_type: 'stream-end',
      finish_reason: 'COMPLETE',
      response: { response_id: 'c1', text: 'pong', generation_id: 'g', finish_reason: 'COMPLETE' },
    }),
  ]
}
