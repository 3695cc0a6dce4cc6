import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { jsonReply, type Reply } from '../reply.ts'
import { messageFor } from './anthropic-answer.ts'
import { eventsOf } from './anthropic-stream.ts'
import type { Complaint } from './anthropic-words.ts'
import { ANTHROPIC_ALONE, bareModel, cloudComplaint, strangeBetas, type ClaudeCloud } from './cloud-claude.ts'
import { eventFrame } from './event-frames.ts'
import { nameSet } from './misplaced.ts'

/**
 * Claude's own words, as Bedrock takes them: a version in place of the model, which the path names, and betas in a list
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html,
 * read 2026-11-27).
 */
const BEDROCK: ClaudeCloud = {
  version: 'bedrock-2023-05-31',
  betas: nameSet(
    `computer-use-2024-10-22 computer-use-2025-01-24 computer-use-2025-11-24 token-efficient-tools-2025-02-19
    interleaved-thinking-2025-05-14 output-128k-2025-02-19 dev-full-thinking-2025-05-14 context-1m-2025-08-07
    context-management-2025-06-27 effort-2025-11-24 tool-search-tool-2025-10-19 tool-examples-2025-10-29`,
  ),
  lacks: [...ANTHROPIC_ALONE, 'stream'],
}

/** What Bedrock would complain of. */
export function claudeComplaint(name: string, json: JsonObject): Complaint {
  const listed = json['anthropic_beta'] ?? []
  if (!Array.isArray(listed) || listed.some((beta: Json) => typeof beta !== 'string'))
    return 'anthropic_beta: Input should be a valid list'
  const betas = listed.filter((beta: Json) => typeof beta === 'string')
  if (strangeBetas(betas, BEDROCK).length > 0) return 'invalid beta flag'
  return cloudComplaint(json, name, betas, BEDROCK)
}

const METRICS = { inputTokenCount: 5, outputTokenCount: 1, invocationLatency: 7, firstByteLatency: 3 }

/** What Claude says, in frames that each hold one of its events. */
export function claudeReply(
  name: string,
  json: JsonObject,
  isStream: boolean,
  headers: Readonly<Record<string, string>>,
): Reply {
  const said = messageFor({ ...json, model: bareModel(name) })
  const message = { ...said, id: 'msg_bdrk_1', content: filled(said['content']) }
  if (!isStream) return jsonReply(200, message, headers)
  return {
    status: 200,
    headers: { 'content-type': 'application/vnd.amazon.eventstream', ...headers },
    chunks: eventsOf(message).map((text) => {
      const event = withMetrics(JSON.parse(text.slice(text.indexOf('{'))))
      // The padding hides how long a word was.
      return eventFrame('chunk', { bytes: Buffer.from(JSON.stringify(event)).toString('base64'), p: 'abc' })
    }),
  }
}

/** Calls of tools that demand nothing are told something all the same. */
function filled(content: Json | undefined): readonly Json[] {
  if (!Array.isArray(content)) return []
  return content.map((block: Json) => {
    const input = isJsonObject(block) ? block['input'] : undefined
    if (!isJsonObject(block) || !isJsonObject(input) || Object.keys(input).length > 0) return block
    return { ...block, input: { answer: 'pong' } }
  })
}

function withMetrics(event: Json): Json {
  if (!isJsonObject(event) || event['type'] !== 'message_stop') return event
  return { ...event, 'amazon-bedrock-invocationMetrics': METRICS }
}
