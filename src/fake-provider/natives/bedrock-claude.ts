import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { jsonReply, type Reply } from '../reply.ts'
import { eventFrame } from './event-frames.ts'
import type { Shape } from './shape.ts'

const BLOCK: Shape = 'object'

/**
 * Claude's own words, as Bedrock takes them: a version in place of the model, which the path names
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html).
 */
export const CLAUDE: Shape = {
  members: {
    'anthropic_version!': { words: ['bedrock-2023-05-31'] },
    'max_tokens!': 'number',
    'messages!': {
      list: { members: { 'role!': { words: ['user', 'assistant'] }, 'content!': 'any' } },
      least: 1,
    },
    system: 'any',
    anthropic_beta: { list: 'text' },
    temperature: 'number',
    top_p: 'number',
    top_k: 'number',
    stop_sequences: { list: 'text' },
    tools: { list: BLOCK },
    tool_choice: 'object',
    thinking: 'object',
    output_config: 'object',
    metadata: 'object',
  },
}

const USAGE = { input_tokens: 5, output_tokens: 1 }

/** `pong`, or the calls of all the tools that are offered; in frames that each hold one of Anthropic's events. */
export function claudeReply(
  model: string,
  { tools }: JsonObject,
  isStream: boolean,
  headers: Readonly<Record<string, string>>,
): Reply {
  const names = Array.isArray(tools) ? tools.flatMap((tool: Json) => nameOf(tool)) : []
  const calls = names.map((name, at) => ({
    type: 'tool_use',
    id: `toolu_${at + 1}`,
    name,
    input: { answer: 'pong' },
  }))
  const content = calls.length > 0 ? calls : [{ type: 'text', text: 'pong' }]
  const stop = calls.length > 0 ? 'tool_use' : 'end_turn'
  const message = { id: 'msg_bdrk_1', type: 'message', role: 'assistant', model }
  if (!isStream)
    return jsonReply(
      200,
      { ...message, content, stop_reason: stop, stop_sequence: null, usage: USAGE },
      headers,
    )
  const events: readonly JsonObject[] = [
    {
      type: 'message_start',
      message: { ...message, content: [], stop_reason: null, usage: { input_tokens: 5, output_tokens: 0 } },
    },
    ...content.flatMap((block, index) => blockEvents(block, index)),
    { type: 'message_delta', delta: { stop_reason: stop, stop_sequence: null }, usage: { output_tokens: 1 } },
    { type: 'message_stop' },
  ]
  return {
    status: 200,
    headers: { 'content-type': 'application/vnd.amazon.eventstream', ...headers },
    chunks: events.map((event) =>
      eventFrame('chunk', { bytes: Buffer.from(JSON.stringify(event)).toString('base64'), p: 'abc' }),
    ),
  }
}

function nameOf(tool: Json): readonly string[] {
  return isJsonObject(tool) && typeof tool['name'] === 'string' ? [tool['name']] : []
}

function blockEvents(block: JsonObject, index: number): readonly JsonObject[] {
  const stop = { type: 'content_block_stop', index }
  if (block['type'] === 'text')
    return [
      { type: 'content_block_start', index, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index, delta: { type: 'text_delta', text: block['text'] } },
      stop,
    ]
  const partial = JSON.stringify(block['input'])
  return [
    { type: 'content_block_start', index, content_block: { ...block, input: {} } },
    { type: 'content_block_delta', index, delta: { type: 'input_json_delta', partial_json: partial } },
    stop,
  ]
}
