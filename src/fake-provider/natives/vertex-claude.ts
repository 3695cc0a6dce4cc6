import { isJsonObject, type Json } from '../../core/json.ts'
import { jsonReply, type Reply } from '../reply.ts'
import { messageFor } from './anthropic-answer.ts'
import { eventsOf } from './anthropic-stream.ts'
import { ANTHROPIC_ALONE, bareModel, cloudComplaint, strangeBetas, type ClaudeCloud } from './cloud-claude.ts'
import { misfit, type Shape } from './google-shapes.ts'
import { nameSet } from './misplaced.ts'
import type { NativeCall } from './native.ts'

/**
 * Claude on Vertex AI: Anthropic's messages without a model
 * (https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai, read 2026-11-27).
 */
const VERTEX: ClaudeCloud = {
  version: 'vertex-2023-10-16',
  betas: nameSet(
    `computer-use-2025-01-24 context-1m-2025-08-07 context-management-2025-06-27 compact-2026-01-12
    interleaved-thinking-2025-05-14 tool-search-tool-2025-10-19 web-search-2025-03-05`,
  ),
  lacks: [...ANTHROPIC_ALONE, 'anthropic_beta'],
}

/** The answer to `rawPredict` or `streamRawPredict`. */
export function claudeReply(call: NativeCall, model: string, isStream: boolean): Reply {
  const { json, headers } = call
  if (call.method !== 'POST' || json === undefined) return refused('The body must be a JSON object.')
  const betas = String(headers['anthropic-beta'] ?? '')
    .split(',')
    .flatMap((name) => (name.trim() === '' ? [] : [name.trim()]))
  const strange = strangeBetas(betas, VERTEX)
  if (strange.length > 0)
    return refused(
      `Unexpected value(s) \`${strange.join('`, `')}\` for the \`anthropic-beta\` header. Please consult our documentation at docs.anthropic.com or try again without the header.`,
    )
  const complaint = cloudComplaint(json, model, betas, VERTEX)
  if (complaint !== undefined) return refused(complaint)
  if (isStream !== (json['stream'] === true))
    return refused('stream: must be true for streamRawPredict, and only there')
  const said = messageFor({ ...json, model: bareModel(model) })
  const message = { ...said, id: 'msg_vrtx_1', content: twice(said['content']) }
  if (!isStream) return jsonReply(200, message)
  return { status: 200, headers: { 'content-type': 'text/event-stream' }, chunks: eventsOf(message) }
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

/** Claude's streams say in Anthropic's words that they broke (https://platform.claude.com/docs/en/build-with-claude/streaming). */
export function claudeErrorAfter(event: string | Buffer, message: string): string | undefined {
  if (!String(event).startsWith('event: message_start')) return undefined
  const error = { type: 'error', error: { type: 'api_error', message } }
  return `event: error\ndata: ${JSON.stringify(error)}\n\n`
}

/** An only tool is called for two cities at once. */
function twice(content: Json | undefined): readonly Json[] {
  if (!Array.isArray(content)) return []
  const [first] = content
  const isOne = content.length === 1 && isJsonObject(first) && first['type'] === 'tool_use'
  return isOne ? [first, { ...first, id: 'toolu_02', input: { city: 'Oslo' } }] : content
}
