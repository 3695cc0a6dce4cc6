import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { jsonReply, type Reply } from '../reply.ts'
import { misfit, type Shape } from './google-shapes.ts'
import type { NativeCall } from './native.ts'

/** Claude on Vertex AI: Anthropic's messages without a model (https://docs.claude.com/en/api/claude-on-vertex-ai). */
const MESSAGES: Shape = {
  anthropic_version: 'string',
  messages: [{ role: 'string', content: 'any' }],
  max_tokens: 'number',
  system: 'any',
  temperature: 'number',
  top_p: 'number',
  top_k: 'number',
  stop_sequences: ['string'],
  stream: 'boolean',
  metadata: { user_id: 'string' },
  thinking: 'any',
  tools: 'any',
  tool_choice: 'any',
  output_config: 'any',
}

/** The answer to `rawPredict` or `streamRawPredict`. */
export function claudeReply(call: NativeCall, model: string, isStream: boolean): Reply {
  if (call.method !== 'POST' || call.json === undefined) return refused('The body must be a JSON object.')
  const wrong = misfit(call.json, MESSAGES)
  if (wrong !== undefined)
    return refused(wrong.replace(/^Invalid JSON.*"(.*)".*$/, '$1: Extra inputs are not permitted'))
  const { anthropic_version: version, max_tokens: most, messages, stream } = call.json
  if (version !== 'vertex-2023-10-16') return refused('anthropic_version: Field required')
  if (typeof most !== 'number') return refused('max_tokens: Field required')
  if (!Array.isArray(messages) || messages.length === 0) return refused('messages: Field required')
  if (isStream !== (stream === true))
    return refused('stream: must be true for streamRawPredict, and only there')
  const blocks = blocksOf(call.json)
  const message = {
    id: 'msg_vrtx_1',
    type: 'message',
    role: 'assistant',
    model,
    content: blocks,
    stop_reason: blocks[0]?.['type'] === 'tool_use' ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 5, output_tokens: 1 },
  }
  return isStream ? streamed(message, blocks) : jsonReply(200, message)
}

/** https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/count-tokens */
const COUNT: Shape = {
  anthropic_version: 'string',
  model: 'string',
  messages: [{ role: 'string', content: 'any' }],
  system: 'any',
  thinking: 'any',
  tools: 'any',
  tool_choice: 'any',
}

/** The answer to `count-tokens:rawPredict`. */
export function claudeCount({ json }: NativeCall): Reply {
  if (json === undefined) return refused('The body must be a JSON object.')
  const wrong = misfit(json, COUNT)
  if (wrong !== undefined)
    return refused(wrong.replace(/^Invalid JSON.*"(.*)".*$/, '$1: Extra inputs are not permitted'))
  const { model, messages } = json
  if (typeof model !== 'string' || !model.startsWith('claude-')) return refused('model: Field required')
  if (!Array.isArray(messages) || messages.length === 0) return refused('messages: Field required')
  return jsonReply(200, { input_tokens: 41 })
}

function refused(message: string): Reply {
  return jsonReply(400, { type: 'error', error: { type: 'invalid_request_error', message } })
}

/** Two calls of the first tool at once, until somebody has answered. */
function blocksOf({ tools, messages }: JsonObject): readonly JsonObject[] {
  const tool: Json | undefined = Array.isArray(tools) ? tools[0] : undefined
  const last: Json | undefined = Array.isArray(messages) ? messages.at(-1) : undefined
  const isAnswered = JSON.stringify(last).includes('"tool_result"')
  if (!isJsonObject(tool) || isAnswered) return [{ type: 'text', text: 'pong' }]
  return ['Paris', 'Oslo'].map((city, at) => ({
    type: 'tool_use',
    id: `toolu_vrtx_${at}`,
    name: tool['name'],
    input: { city },
  }))
}

/** https://docs.claude.com/en/docs/build-with-claude/streaming */
function streamed(message: JsonObject, blocks: readonly JsonObject[]): Reply {
  const event = (data: JsonObject & { readonly type: string }): string =>
    `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`
  const parts = blocks.flatMap((block, index) => {
    const isText = block['type'] === 'text'
    const opened = isText ? { ...block, text: '' } : { ...block, input: {} }
    const delta = isText
      ? { type: 'text_delta', text: block['text'] }
      : { type: 'input_json_delta', partial_json: JSON.stringify(block['input']) }
    return [
      event({ type: 'content_block_start', index, content_block: opened }),
      event({ type: 'content_block_delta', index, delta }),
      event({ type: 'content_block_stop', index }),
    ]
  })
  const ending = { stop_reason: message['stop_reason'], stop_sequence: null }
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    chunks: [
      event({ type: 'message_start', message: { ...message, content: [], stop_reason: null } }),
      ...parts,
      event({ type: 'message_delta', delta: ending, usage: { output_tokens: 1 } }),
      event({ type: 'message_stop' }),
    ],
  }
}
