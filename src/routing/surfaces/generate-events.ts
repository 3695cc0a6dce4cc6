import { GatewayError } from '../../core/failure.ts'
import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { callsOf, namesOf, readDeltas, thoughtOf, usageIn, wordsOf } from './chat-answer.ts'
import type { ChatDelta, ChatPiece, ChatUsage, ToolCall } from './chat-answer.ts'
import { callPart, signed } from './generate-calls.ts'
import { groundingMetadata } from './generate-grounding.ts'
import { contentOf, finishReason, logprobsResult, pictureParts, responseOf } from './generate-words.ts'
import { memberOf, textOf } from './read-json.ts'
import type { EventWriter } from './surface.ts'

/** What has come of one answer. */
interface Candidate {
  /** Google's events hold calls whole: their pieces wait for the end. */
  readonly calls: { id: string; name: string; arguments: string; readonly index: number }[]
  readonly thoughts: JsonObject[]
  readonly annotations: Json[]
  /** What citations point into. */
  text: string
  hasRefused: boolean
  finish: string | undefined
}

/** What a stream has come to. */
interface Written {
  names: Pick<ChatPiece, 'id' | 'model'> | undefined
  readonly candidates: Map<number, Candidate>
  usage: ChatUsage | undefined
  readonly isThinkingShown: boolean
  /** Characters that wait. */
  held: number
  /** Characters that citations may point into, of all answers. */
  cited: number
}

/** More answers, or more of what waits for the end, are none. */
const MAX_CANDIDATES = 128
const MAX_CALLS = 1024
const MAX_HELD = 32 * 1024 * 1024
/** Of longer texts nobody cites the ends by their places. */
const MAX_CITED = 4 * 1024 * 1024

/**
 * Writes a streamed chat as events that are each a whole `GenerateContentResponse` with what is new
 * (https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent).
 */
export function openGenerateEvents(isThinkingShown: boolean): EventWriter {
  const state: Written = {
    names: undefined,
    candidates: new Map(),
    usage: undefined,
    isThinkingShown,
    held: 0,
    cited: 0,
  }
  return {
    push: (chunk) => {
      state.names ??= namesOf(chunk)
      state.usage = usageIn(chunk) ?? state.usage
      const candidates = readDeltas(chunk).flatMap((piece) => pieceOf(state, piece))
      return candidates.length === 0 ? '' : event(responseOf(state.names, candidates, undefined))
    },
    end: () => {
      if (state.names === undefined) throw new GatewayError('empty', 'the stream held no event')
      const candidates = [...state.candidates].map(([index, candidate]) => lastOf(index, candidate))
      return event(responseOf(state.names, candidates, state.usage))
    },
  }
}

function event(response: JsonObject): string {
  return `data: ${JSON.stringify(response)}\r\n\r\n`
}

/** What is new of one answer; empty where that waits for the end. */
function pieceOf(state: Written, { index, delta, finish, logprobs }: ChatDelta): readonly JsonObject[] {
  const candidate = candidateAt(state, index)
  candidate.finish = finish ?? candidate.finish
  const refusal = textOf(delta['refusal']) ?? ''
  candidate.hasRefused ||= refusal !== ''
  const said = wordsOf(delta)
  const { annotations } = delta
  if (Array.isArray(annotations)) hold(state, candidate.annotations, annotations)
  for (const call of callsOf(delta)) addCall(state, candidate, call)
  addThoughts(state, candidate, delta['thinking_blocks'])
  if (state.cited < MAX_CITED) {
    candidate.text += said
    state.cited += said.length
  }
  const thought = state.isThinkingShown ? thoughtOf(delta) : ''
  const parts = [
    ...(thought === '' ? [] : [{ text: thought, thought: true }]),
    ...[said, refusal].filter((text) => text !== '').map((text) => ({ text })),
    ...pictureParts(delta['images']),
  ]
  const probabilities = memberOf(logprobs, 'content')
  const result = Array.isArray(probabilities) ? logprobsResult(probabilities) : undefined
  if (parts.length === 0 && result === undefined) return []
  return [{ content: contentOf(parts), index, ...(result !== undefined && { logprobsResult: result }) }]
}

function candidateAt({ candidates }: Written, index: number): Candidate {
  const known = candidates.get(index)
  if (known !== undefined) return known
  if (candidates.size >= MAX_CANDIDATES)
    throw new GatewayError('wrong_shape', `the stream holds more than ${MAX_CANDIDATES} answers`)
  const candidate: Candidate = {
    calls: [],
    thoughts: [],
    annotations: [],
    text: '',
    hasRefused: false,
    finish: undefined,
  }
  candidates.set(index, candidate)
  return candidate
}

/** The end of one answer: why it stopped, and what it calls. */
function lastOf(index: number, candidate: Candidate): JsonObject {
  const { calls, thoughts, annotations, text, hasRefused, finish } = candidate
  const made = calls.flatMap((call) => callPart(call, finish === 'length'))
  const grounding = groundingMetadata(annotations, text)
  return {
    content: contentOf(signed(made, thoughts)),
    finishReason: finishReason(finish, hasRefused),
    index,
    ...(grounding !== undefined && { groundingMetadata: grounding }),
  }
}

/** A new id begins a new call, even where a server counts all of them as the first. */
function addCall(state: Written, { calls }: Candidate, piece: ToolCall): void {
  const known = calls.findLast(({ index }) => index === piece.index)
  const isNew = known === undefined || (piece.id !== '' && piece.name !== '' && piece.id !== known.id)
  count(state, piece.arguments.length)
  if (!isNew) {
    known.arguments += piece.arguments
    return
  }
  if (piece.name === '') throw new GatewayError('wrong_shape', 'the stream calls a tool without a name')
  if (calls.length >= MAX_CALLS)
    throw new GatewayError('wrong_shape', `the stream holds more than ${MAX_CALLS} calls of tools`)
  calls.push({ ...piece })
}

/** Thoughts come whole, or piece by piece and their signature last. */
function addThoughts(state: Written, { thoughts }: Candidate, blocks: Json | undefined): void {
  if (!Array.isArray(blocks)) return
  for (const block of blocks.filter((each: Json) => isJsonObject(each))) {
    const last = thoughts.at(-1)
    const isNext =
      block['type'] === 'thinking' && last?.['type'] === 'thinking' && last['signature'] === undefined
    if (!isNext || last === undefined) {
      hold(state, thoughts, [block])
      continue
    }
    const text = textOf(block['thinking']) ?? ''
    count(state, text.length)
    const { signature } = block
    thoughts[thoughts.length - 1] = {
      ...last,
      thinking: (textOf(last['thinking']) ?? '') + text,
      ...(signature !== undefined && { signature }),
    }
  }
}

function hold<Item extends Json>(state: Written, held: Item[], more: readonly Item[]): void {
  for (const each of more) {
    count(state, JSON.stringify(each).length)
    held.push(each)
  }
}

function count(state: Written, characters: number): void {
  state.held += characters
  if (state.held > MAX_HELD)
    throw new GatewayError(
      'wrong_shape',
      `the stream holds more than ${MAX_HELD} characters of calls and thoughts`,
    )
}
