import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import { textOf } from '../answer.ts'
import { toAnnotations } from './annotations.ts'
import { ANSWER_TOOL } from './schema.ts'

/** The blocks of a streamed message, each as what it adds to OpenAI's message; undefined where it adds nothing. */
export interface Blocks {
  start(index: Json | undefined, block: JsonObject): JsonObject | undefined
  grow(index: Json | undefined, delta: JsonObject): JsonObject | undefined
  stop(index: Json | undefined): JsonObject | undefined
  /** So many characters were written without being read here. */
  passed(chars: number): void
  /** Has a tool of the client's been called? */
  hasCalls(): boolean
}

/** A block that has begun. Thoughts and foreign blocks are kept until they are whole, for they make sense only so. */
type Open =
  | { readonly kind: 'text'; readonly start: number; readonly citations: JsonObject[] }
  | { readonly kind: 'call'; readonly at: number; isSilent: boolean }
  /** The call that is the answer. */
  | { readonly kind: 'answer'; isSilent: boolean }
  | { readonly kind: 'thought'; readonly block: JsonObject; thinking: string; signature: string }
  | { readonly kind: 'foreign'; readonly block: JsonObject; input: string }

/** What is kept of a stream until it is whole: no answer of Claude's comes near. */
const MOST_KEPT_CHARS = 32 * 1024 * 1024
/** Blocks that are open at once: Claude writes one after the other. */
const MOST_OPEN = 1_000

/** Follows the blocks of one message. They may overlap: each is known by its index. */
export function createBlocks(): Blocks {
  const open = new Map<Json | undefined, Open>()
  let written = 0
  let calls = 0
  let kept = 0
  const keep = (chars: number): void => {
    kept += chars
    if (kept > MOST_KEPT_CHARS || open.size > MOST_OPEN)
      throw new GatewayError('wrong_shape', 'the stream holds more thoughts and searches than any answer has')
  }
  const write = (text: string): JsonObject | undefined => {
    written += text.length
    return text === '' ? undefined : { content: text }
  }
  return {
    start: (index, block) => {
      keep(isKept(block) ? JSON.stringify(block).length : 0)
      switch (textOf(block['type'])) {
        case 'text':
          open.set(index, { kind: 'text', start: written, citations: citationsIn(block['citations']) })
          return write(textOf(block['text']) ?? '')
        case 'tool_use': {
          const given = inputText(block['input'])
          if (block['name'] === ANSWER_TOOL) {
            open.set(index, { kind: 'answer', isSilent: given === '' })
            return write(given)
          }
          const at = calls
          calls += 1
          open.set(index, { kind: 'call', at, isSilent: given === '' })
          return { tool_calls: [callStart(at, block, given)] }
        }
        case 'thinking':
        case 'redacted_thinking': {
          const thinking = textOf(block['thinking']) ?? ''
          open.set(index, { kind: 'thought', block, thinking, signature: textOf(block['signature']) ?? '' })
          return thinking === '' ? undefined : { reasoning_content: thinking }
        }
        default:
          open.set(index, { kind: 'foreign', block, input: '' })
          return undefined
      }
    },
    grow: (index, delta) => {
      const block = open.get(index)
      if (block === undefined) return undefined
      if (block.kind !== 'call' && block.kind !== 'answer') keep(keptOf(delta))
      return grown(block, delta, write)
    },
    stop: (index) => {
      const block = open.get(index)
      open.delete(index)
      return block === undefined ? undefined : stopped(block, written)
    },
    passed: (chars) => {
      written += chars
    },
    hasCalls: () => calls > 0,
  }
}

/** Blocks that are told only once they are whole. */
function isKept({ type }: JsonObject): boolean {
  return type !== 'text' && type !== 'tool_use'
}

function keptOf(delta: JsonObject): number {
  return delta['text'] === undefined ? JSON.stringify(delta).length : 0
}

function callStart(at: number, block: JsonObject, given: string): JsonObject {
  return {
    index: at,
    id: textOf(block['id']) ?? '',
    type: 'function',
    function: { name: textOf(block['name']) ?? '', arguments: given },
  }
}

/** The arguments, where they come at once; an empty object stands there where they are still to come. */
function inputText(input: Json | undefined): string {
  return isJsonObject(input) && Object.keys(input).length > 0 ? JSON.stringify(input) : ''
}

function citationsIn(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

function grown(
  block: Open,
  delta: JsonObject,
  write: (text: string) => JsonObject | undefined,
): JsonObject | undefined {
  const piece = textOf(delta['partial_json'])
  switch (block.kind) {
    case 'text':
      if (isJsonObject(delta['citation'])) block.citations.push(delta['citation'])
      return write(textOf(delta['text']) ?? '')
    case 'call':
      if (piece === undefined || piece === '') return undefined
      block.isSilent = false
      return { tool_calls: [{ index: block.at, function: { arguments: piece } }] }
    case 'answer':
      if (piece === undefined || piece === '') return undefined
      block.isSilent = false
      return write(piece)
    case 'thought': {
      const thinking = textOf(delta['thinking']) ?? ''
      block.thinking += thinking
      block.signature += textOf(delta['signature']) ?? ''
      return thinking === '' ? undefined : { reasoning_content: thinking }
    }
    case 'foreign':
      block.input += piece ?? ''
      return undefined
  }
}

function stopped(block: Open, written: number): JsonObject | undefined {
  switch (block.kind) {
    case 'text': {
      const annotations = toAnnotations(block.citations, block.start, written)
      return annotations.length === 0 ? undefined : { annotations }
    }
    case 'call':
      // Arguments are JSON, and none at all are an empty object.
      return block.isSilent ? { tool_calls: [{ index: block.at, function: { arguments: '{}' } }] } : undefined
    case 'answer':
      return block.isSilent ? { content: '{}' } : undefined
    case 'thought':
      return { thinking_blocks: [wholeThought(block)] }
    case 'foreign': {
      const input = block.input === '' ? undefined : parseJson(block.input)
      return {
        provider_specific_fields: { blocks: [{ ...block.block, ...(input !== undefined && { input }) }] },
      }
    }
  }
}

function wholeThought({ block, thinking, signature }: Extract<Open, { kind: 'thought' }>): JsonObject {
  return block['type'] === 'thinking' ? { type: 'thinking', thinking, signature } : block
}
