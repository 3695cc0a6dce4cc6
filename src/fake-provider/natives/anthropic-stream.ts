import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { word } from './anthropic-words.ts'

/** A message as named events, one piece each (https://platform.claude.com/docs/en/build-with-claude/streaming). */
export function eventsOf(message: JsonObject): readonly string[] {
  const { content, usage, stop_reason, stop_sequence, stop_details, ...head } = message
  const counted = isJsonObject(usage) ? usage : {}
  const blocks = Array.isArray(content) ? content.filter(isJsonObject) : []
  const start = {
    ...head,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { ...counted, output_tokens: 1 },
  }
  return [
    named('message_start', { message: start }),
    named('ping', {}),
    ...blocks.flatMap(blockEvents),
    named('message_delta', { delta: { stop_reason, stop_sequence, stop_details }, usage: counted }),
    named('message_stop', {}),
  ]
}

function named(type: string, data: JsonObject): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`
}

function blockEvents(block: JsonObject, index: number): readonly string[] {
  const { empty, deltas } = pieces(block)
  return [
    named('content_block_start', { index, content_block: empty }),
    ...deltas.map((delta) => named('content_block_delta', { index, delta })),
    named('content_block_stop', { index }),
  ]
}

/** A block as it begins, and what it grows by. */
function pieces(block: JsonObject): { readonly empty: JsonObject; readonly deltas: readonly JsonObject[] } {
  switch (block['type']) {
    case 'text':
      return {
        empty: { type: 'text', text: '' },
        deltas: [
          ...halves(block['text']).map((text) => ({ type: 'text_delta', text })),
          ...listed(block['citations']).map((citation) => ({ type: 'citations_delta', citation })),
        ],
      }
    case 'thinking':
      return {
        empty: { type: 'thinking', thinking: '', signature: '' },
        deltas: [
          ...halves(block['thinking']).map((thinking) => ({ type: 'thinking_delta', thinking })),
          { type: 'signature_delta', signature: block['signature'] },
        ],
      }
    case 'tool_use':
    case 'server_tool_use':
      return { empty: { ...block, input: {} }, deltas: inputDeltas(block['input']) }
    default:
      return { empty: block, deltas: [] }
  }
}

/** Nothing first, as Anthropic does; and nothing else where there is nothing to say. */
function inputDeltas(input: Json | undefined): readonly JsonObject[] {
  const isEmpty = !isJsonObject(input) || Object.keys(input).length === 0
  const texts = isEmpty ? [''] : ['', ...halves(JSON.stringify(input))]
  return texts.map((text) => ({ type: 'input_json_delta', partial_json: text }))
}

function listed(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

function halves(value: Json | undefined): readonly string[] {
  const text = word(value)
  const middle = Math.ceil(text.length / 2)
  return [text.slice(0, middle), text.slice(middle)].filter((half) => half !== '')
}
