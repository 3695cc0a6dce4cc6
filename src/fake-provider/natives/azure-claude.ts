import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { jsonReply, type Reply } from '../reply.ts'
import { eventsReply, goodReply } from './chat-answers.ts'
import { faultIn, type Members } from './members.ts'
import type { NativeCall } from './native.ts'

const MESSAGES: Members = {
  required: ['model', 'max_tokens', 'messages'],
  allowed:
    `system temperature top_p top_k stop_sequences stream tools tool_choice thinking metadata service_tier
    output_config output_format`.split(/\s+/),
}

/** Claude in Foundry (https://platform.claude.com/docs/en/build-with-claude/claude-in-microsoft-foundry). */
export function claudeAnswer({ headers, query, json: body = {} }: NativeCall): Reply {
  const [parameter] = query.keys()
  if (parameter !== undefined)
    return claudeError(400, 'invalid_request_error', `unknown parameter: ${parameter}`)
  if (headers['anthropic-version'] === undefined)
    return claudeError(400, 'invalid_request_error', 'anthropic-version: header is required')
  const fault = faultIn(body, MESSAGES)
  if (fault?.kind === 'unknown')
    return claudeError(400, 'invalid_request_error', `${fault.name}: Extra inputs are not permitted`)
  if (fault !== undefined) return claudeError(400, 'invalid_request_error', `${fault.name}: Field required`)
  const blocks = blocksFor(body)
  const stop = blocks.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn'
  if (body['stream'] === true) return eventsReply(events(body, blocks, stop))
  return goodReply({ ...messageOf(body), content: blocks, stop_reason: stop, usage: USAGE })
}

/** An error in Anthropic's words. */
export function claudeError(status: number, type: string, message: string): Reply {
  return jsonReply(status, { type: 'error', error: { type, message }, request_id: 'req_1' })
}

const USAGE = { input_tokens: 5, output_tokens: 1 } as const
const INPUT = { place: 'Paris' } as const

function messageOf({ model }: JsonObject): JsonObject {
  return { id: 'msg_1', type: 'message', role: 'assistant', model, stop_sequence: null }
}

/** It uses every tool that it is given, unless one was answered. */
function blocksFor({ tools, messages }: JsonObject): readonly JsonObject[] {
  const last = Array.isArray(messages) ? messages.at(-1) : undefined
  const names = Array.isArray(tools) && !hasResult(last) ? tools.filter(isJsonObject) : []
  return names.length === 0
    ? [{ type: 'text', text: 'pong' }]
    : names.map(({ name }, index) => ({ type: 'tool_use', id: `toolu_${index}`, name, input: INPUT }))
}

function hasResult(message: Json | undefined): boolean {
  const content = isJsonObject(message) ? message['content'] : undefined
  return (
    Array.isArray(content) &&
    content.some((part: Json) => isJsonObject(part) && part['type'] === 'tool_result')
  )
}

function events(body: JsonObject, blocks: readonly JsonObject[], stop: string): readonly string[] {
  const start = {
    ...messageOf(body),
    content: [],
    stop_reason: null,
    usage: { input_tokens: 5, output_tokens: 0 },
  }
  return [
    { type: 'message_start', message: start },
    ...blocks.flatMap(blockEvents),
    { type: 'message_delta', delta: { stop_reason: stop, stop_sequence: null }, usage: { output_tokens: 1 } },
    { type: 'message_stop' },
  ].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
}

/** An event says in its name what it is. */
interface Event extends JsonObject {
  readonly type: string
}

function blockEvents(block: JsonObject, index: number): readonly Event[] {
  const isText = block['type'] === 'text'
  const empty = isText ? { ...block, text: '' } : { ...block, input: {} }
  const deltas = isText
    ? ['po', 'ng'].map((text) => ({ type: 'text_delta', text }))
    : ['{"place":', '"Paris"}'].map((text) => ({ type: 'input_json_delta', partial_json: text }))
  return [
    { type: 'content_block_start', index, content_block: empty },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ]
}
