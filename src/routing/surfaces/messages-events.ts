import { GatewayError } from '../../core/failure.ts'
import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { callsOf, readPiece, thoughtOf, wordsOf } from './chat-answer.ts'
import type { ChatPiece, ChatUsage, ToolCall } from './chat-answer.ts'
import { messageId, stopReason, usageOf } from './messages-words.ts'
import { namedEvent } from './named-event.ts'
import { memberOf, textOf } from './read-json.ts'
import type { EventWriter } from './surface.ts'

/** The block that is being written: Anthropic's clients read one after the other. */
interface OpenBlock {
  readonly kind: 'thinking' | 'text' | 'tool'
  /** Of a tool: which of the chat's calls it is, and its id. */
  readonly call?: number
  readonly id?: string
}

/** What a stream has come to. */
interface Written {
  hasBegun: boolean
  open: OpenBlock | undefined
  /** Blocks begun so far. */
  blocks: number
  /** Calls whose block is closed. */
  readonly closed: Set<number>
  hasRefused: boolean
  finish: string | undefined
  usage: ChatUsage
}

const NOTHING_USED: ChatUsage = { prompt: 0, completion: 0, cached: 0, written: 0, reasoning: 0 }

/** Writes a streamed chat as Anthropic's events. */
export function openMessageEvents(): EventWriter {
  const state: Written = {
    hasBegun: false,
    open: undefined,
    blocks: 0,
    closed: new Set(),
    hasRefused: false,
    finish: undefined,
    usage: NOTHING_USED,
  }
  return {
    push: (chunk) => {
      const piece = readPiece(chunk)
      state.finish = piece.finish ?? state.finish
      state.usage = piece.usage ?? state.usage
      return begin(state, piece) + written(state, piece.delta)
    },
    end: () => {
      if (!state.hasBegun) throw new GatewayError('empty', 'the stream held no event')
      const hasCalls = state.closed.size > 0 || state.open?.kind === 'tool'
      const stop = stopReason(state.finish, hasCalls, state.hasRefused)
      const delta = { stop_reason: stop, stop_sequence: null }
      return (
        close(state) +
        namedEvent({ type: 'message_delta', delta, usage: usageOf(state.usage) }) +
        namedEvent({ type: 'message_stop' })
      )
    },
  }
}

function begin(state: Written, { id, model }: ChatPiece): string {
  if (state.hasBegun) return ''
  state.hasBegun = true
  const message = {
    id: messageId(id),
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: usageOf(state.usage),
  }
  return namedEvent({ type: 'message_start', message })
}

function written(state: Written, delta: JsonObject): string {
  const thought = thoughtOf(delta)
  const refusal = textOf(delta['refusal']) ?? ''
  const said = wordsOf(delta) + refusal
  state.hasRefused ||= refusal !== ''
  let text = ''
  if (thought !== '')
    text += inBlock(
      state,
      { kind: 'thinking' },
      { type: 'thinking', thinking: '', signature: '' },
      {
        type: 'thinking_delta',
        thinking: thought,
      },
    )
  text += signatures(state, delta)
  if (said !== '')
    text += inBlock(state, { kind: 'text' }, { type: 'text', text: '' }, { type: 'text_delta', text: said })
  for (const call of callsOf(delta)) text += toolPiece(state, call)
  return text
}

/** Whose thoughts are signed says so after them; what Anthropic blacked out comes as a block of its own. */
function signatures(state: Written, { thinking_blocks: blocks }: JsonObject): string {
  if (!Array.isArray(blocks)) return ''
  return blocks
    .map((block: Json) => {
      if (memberOf(block, 'type') === 'redacted_thinking' && isJsonObject(block)) {
        const index = state.blocks
        const start = close(state) + namedEvent({ type: 'content_block_start', index, content_block: block })
        state.blocks += 1
        return start + namedEvent({ type: 'content_block_stop', index })
      }
      const signature = textOf(memberOf(block, 'signature')) ?? ''
      if (signature === '' || state.open?.kind !== 'thinking') return ''
      return deltaEvent(state, { type: 'signature_delta', signature })
    })
    .join('')
}

/** A new id begins a new call, even where a server counts all of them as the first. */
function toolPiece(state: Written, { index: call, id, name, arguments: json }: ToolCall): string {
  const { open } = state
  const isNew = id !== '' && name !== '' && id !== open?.id
  if (!isNew && (open?.kind !== 'tool' || open.call !== call)) {
    const why = state.closed.has(call)
      ? 'mixes the pieces of several calls of tools'
      : 'calls a tool without a name'
    throw new GatewayError('wrong_shape', `the stream ${why}`)
  }
  const delta = { type: 'input_json_delta', partial_json: json }
  if (!isNew) return deltaEvent(state, delta)
  return beginBlock(state, { kind: 'tool', call, id }, { type: 'tool_use', id, name, input: {} }, delta)
}

/** Begins the block unless it is the open one, and adds to it. */
function inBlock(state: Written, block: OpenBlock, start: JsonObject, delta: JsonObject): string {
  return state.open?.kind === block.kind ? deltaEvent(state, delta) : beginBlock(state, block, start, delta)
}

function beginBlock(state: Written, block: OpenBlock, start: JsonObject, delta: JsonObject): string {
  const closing = close(state)
  state.open = block
  state.blocks += 1
  const index = state.blocks - 1
  return (
    closing +
    namedEvent({ type: 'content_block_start', index, content_block: start }) +
    deltaEvent(state, delta)
  )
}

function deltaEvent(state: Written, delta: JsonObject): string {
  return namedEvent({ type: 'content_block_delta', index: state.blocks - 1, delta })
}

function close(state: Written): string {
  const { open } = state
  if (open === undefined) return ''
  if (open.call !== undefined) state.closed.add(open.call)
  state.open = undefined
  return namedEvent({ type: 'content_block_stop', index: state.blocks - 1 })
}
