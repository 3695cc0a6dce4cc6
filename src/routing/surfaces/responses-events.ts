import { GatewayError } from '../../core/failure.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import type { Redact } from '../../core/secret.ts'
import { callsOf, readPiece, thoughtOf, wordsOf } from './chat-answer.ts'
import type { ChatPiece, ChatUsage, ToolCall } from './chat-answer.ts'
import { namedEvent } from './named-event.ts'
import { textOf } from './read-json.ts'
import { MAX_WHOLE_BYTES } from './reworded.ts'
import {
  callItem,
  endOf,
  logprobsOf,
  messageItem,
  reasoningItem,
  textContent,
  usageOf,
} from './responses-words.ts'
import type { ResponseFrame } from './responses-words.ts'
import type { EventWriter } from './surface.ts'

/** The item that is being written. */
type OpenItem =
  | {
      readonly kind: 'reasoning' | 'text' | 'refusal'
      readonly id: string
      text: string
      readonly logprobs: Json[]
    }
  | {
      readonly kind: 'call'
      readonly id: string
      readonly call: number
      readonly callId: string
      readonly name: string
      text: string
    }

/** What a stream has come to. */
interface Written {
  sequence: number
  begun: Pick<ChatPiece, 'id' | 'model'> | undefined
  open: OpenItem | undefined
  /** Items that are whole. */
  readonly done: JsonObject[]
  finish: string | undefined
  usage: ChatUsage | undefined
  /** What may still be kept, characters. */
  room: number
}

/** Characters besides its text that an item takes in the last event. */
const PER_ITEM = 256

/**
 * Writes a streamed chat as OpenAI's response events
 * (https://platform.openai.com/docs/api-reference/responses-streaming). Its last event repeats all of it, which is kept
 * until then: a response that comes to more than `most` characters fails.
 */
export function openResponseEvents(
  frame: ResponseFrame,
  redact: Redact,
  most: number = MAX_WHOLE_BYTES,
): EventWriter {
  const state: Written = {
    sequence: 0,
    begun: undefined,
    open: undefined,
    done: [],
    finish: undefined,
    usage: undefined,
    room: most,
  }
  return {
    push: (chunk) => {
      const piece = readPiece(chunk)
      state.finish = piece.finish ?? state.finish
      state.usage = piece.usage ?? state.usage
      return begin(state, frame, piece) + written(state, piece)
    },
    end: () => {
      const { begun } = state
      if (begun === undefined) throw new GatewayError('empty', 'the stream held no event')
      const closing = close(state)
      const end = endOf(state.finish)
      const usage = state.usage === undefined ? null : usageOf(state.usage)
      const response = frame.at(begun.model, begun.id, { ...end, output: state.done, usage })
      return closing + event(state, `response.${end.status}`, { response })
    },
    failed: (failure) => {
      const { begun, open, done } = state
      if (begun === undefined) return ''
      const error = { code: codeOf(failure), message: redact(failure.message) }
      const output = open === undefined ? done : [...done, itemOf(open, 'incomplete')]
      const usage = state.usage === undefined ? null : usageOf(state.usage)
      const response = frame.at(begun.model, begun.id, { status: 'failed', error, output, usage })
      return event(state, 'response.failed', { response })
    },
  }
}

/** Of OpenAI's codes (https://platform.openai.com/docs/api-reference/responses/object#error) those that others can have. */
function codeOf({ kind }: GatewayError): string {
  return kind === 'rate_limited' || kind === 'quota' ? 'rate_limit_exceeded' : 'server_error'
}

function sizeOf(logprobs: readonly Json[]): number {
  return logprobs.length === 0 ? 0 : JSON.stringify(logprobs).length
}

/**
 * To be called before anything is written: what was written is sent.
 * @throws GatewayError wrong_shape where that is more than may be kept
 */
function keep(state: Written, chars: number): void {
  state.room -= chars
  if (state.room < 0)
    throw new GatewayError(
      'wrong_shape',
      'the streamed response is longer than can be repeated in its last event: ask for less, or as a chat',
    )
}

function begin(state: Written, frame: ResponseFrame, { id, model }: ChatPiece): string {
  if (state.begun !== undefined) return ''
  state.begun = { id, model }
  const response = frame.at(model, id, { status: 'in_progress', output: [] })
  return event(state, 'response.created', { response }) + event(state, 'response.in_progress', { response })
}

function written(state: Written, { delta, logprobs }: ChatPiece): string {
  const refusal = textOf(delta['refusal']) ?? ''
  return (
    words(state, 'reasoning', thoughtOf(delta), []) +
    words(state, 'text', wordsOf(delta), logprobsOf(logprobs)) +
    words(state, 'refusal', refusal, []) +
    callsOf(delta)
      .map((call) => callPiece(state, call))
      .join('')
  )
}

const DELTAS = {
  reasoning: 'response.reasoning_text.delta',
  text: 'response.output_text.delta',
  refusal: 'response.refusal.delta',
} as const

function words(
  state: Written,
  kind: 'reasoning' | 'text' | 'refusal',
  text: string,
  logprobs: readonly Json[],
): string {
  if (text === '') return ''
  const isNew = state.open?.kind !== kind
  keep(state, text.length + sizeOf(logprobs) + (isNew ? PER_ITEM : 0))
  const before = isNew ? openWords(state, kind) : ''
  const { open } = state
  if (open === undefined || open.kind === 'call') return before
  open.text += text
  open.logprobs.push(...logprobs)
  const place = { item_id: itemId(open), output_index: state.done.length, content_index: 0 }
  const more = kind === 'text' ? { logprobs } : {}
  return before + event(state, DELTAS[kind], { ...place, delta: text, ...more })
}

function openWords(state: Written, kind: 'reasoning' | 'text' | 'refusal'): string {
  const closing = close(state)
  const id = `${state.begun?.id ?? ''}_${state.done.length}`
  state.open = { kind, id, text: '', logprobs: [] }
  const item = kind === 'reasoning' ? reasoningItem(id, '') : messageItem(id, 'in_progress', [])
  const added = itemEvent(state, 'response.output_item.added', item)
  return closing + added + partEvent(state, 'response.content_part.added', item, partOf(kind, '', []))
}

/** A new id begins a new call, even where a server counts all of them as the first. */
function callPiece(state: Written, { index, id: callId, name, arguments: text }: ToolCall): string {
  const { open } = state
  const isSame = open?.kind === 'call' && open.call === index && (callId === '' || callId === open.callId)
  keep(state, text.length + (isSame ? 0 : PER_ITEM + callId.length + name.length))
  let before = ''
  if (!isSame) {
    if (callId === '' || name === '')
      throw new GatewayError('wrong_shape', 'the stream mixes the pieces of several calls of tools')
    before = close(state)
    const id = `${state.begun?.id ?? ''}_${state.done.length}`
    state.open = { kind: 'call', id, call: index, callId, name, text: '' }
    before += itemEvent(state, 'response.output_item.added', callItem(id, 'in_progress', callId, name, ''))
  }
  const now = state.open
  if (now === undefined || text === '') return before
  now.text += text
  const place = { item_id: itemId(now), output_index: state.done.length }
  return before + event(state, 'response.function_call_arguments.delta', { ...place, delta: text })
}

function close(state: Written): string {
  const { open } = state
  if (open === undefined) return ''
  state.open = undefined
  const index = state.done.length
  const { status } = endOf(state.finish)
  const place = { item_id: itemId(open), output_index: index }
  const item = itemOf(open, status)
  if (open.kind === 'call') {
    const done = { ...place, name: open.name, arguments: open.text }
    const text = event(state, 'response.function_call_arguments.done', done)
    return text + doneItem(state, item)
  }
  const part = partOf(open.kind, open.text, open.logprobs)
  const own = { ...place, content_index: 0 }
  const said =
    open.kind === 'refusal'
      ? event(state, 'response.refusal.done', { ...own, refusal: open.text })
      : event(state, `response.${open.kind === 'text' ? 'output' : 'reasoning'}_text.done`, {
          ...own,
          text: open.text,
          ...(open.kind === 'text' && { logprobs: open.logprobs }),
        })
  return said + partEvent(state, 'response.content_part.done', item, part) + doneItem(state, item)
}

function itemOf(open: OpenItem, status: string): JsonObject {
  switch (open.kind) {
    case 'call':
      return callItem(open.id, status, open.callId, open.name, open.text)
    case 'reasoning':
      return reasoningItem(open.id, open.text)
    case 'text':
    case 'refusal':
      return messageItem(open.id, status, [partOf(open.kind, open.text, open.logprobs)])
  }
}

function doneItem(state: Written, item: JsonObject): string {
  const text = itemEvent(state, 'response.output_item.done', item)
  state.done.push(item)
  return text
}

function partOf(kind: 'reasoning' | 'text' | 'refusal', text: string, logprobs: readonly Json[]): JsonObject {
  switch (kind) {
    case 'reasoning':
      return { type: 'reasoning_text', text }
    case 'text':
      return textContent(text, logprobs)
    case 'refusal':
      return { type: 'refusal', refusal: text }
  }
}

function itemId(open: OpenItem): string {
  const prefix = open.kind === 'call' ? 'fc' : open.kind === 'reasoning' ? 'rs' : 'msg'
  return `${prefix}_${open.id}`
}

function itemEvent(state: Written, type: string, item: JsonObject): string {
  return event(state, type, { output_index: state.done.length, item })
}

function partEvent(state: Written, type: string, { id }: JsonObject, part: JsonObject): string {
  return event(state, type, { item_id: id, output_index: state.done.length, content_index: 0, part })
}

function event(state: Written, type: string, members: JsonObject): string {
  const text = namedEvent({ type, sequence_number: state.sequence, ...members })
  state.sequence += 1
  return text
}
