import type { Usage } from '../../core/answer-facts.ts'
import type { Json } from '../../core/json.ts'
import { isJsonObject } from '../../core/json.ts'
import type { JsonSpans } from '../../core/json-spans.ts'
import { closingEnd } from '../../core/closing-quote.ts'
import { createBrackets, follow } from './brackets.ts'

/** The member that says what an answer cost; within a JSON string its quotes would be escaped. */
const KEY = '"usage"'
/** How much of the end of a large answer is looked at. */
export const TAIL_BYTES = 4096
/** And of its start: some write what it cost before what it is. */
const HEAD_BYTES = 4096
/** Members of that name, counted from an end, that are looked at: others lie deeper than the answer's own. */
const MOST_TRIES = 8

const QUOTE = 0x22
const COLON = 0x3a
const BACKSLASH = 0x5c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/**
 * The usage that a JSON object says at its top level, found from its last bytes alone: nothing before them is read.
 * `end` is where the object ends. Undefined where these bytes do not say it.
 */
export function usageAtEnd(bytes: Buffer, end: number): Usage | undefined {
  for (let tries = 0, at = end; tries < MOST_TRIES && at > 0; tries++) {
    at = bytes.lastIndexOf(KEY, at - 1)
    if (at === -1) return undefined
    if (isEscaped(bytes, at)) continue
    const start = valueAfter(bytes, at + KEY.length)
    const valueEnd = start === -1 ? -1 : outermostEnd(bytes, start, end)
    if (valueEnd !== -1) return readUsage(parsed(bytes, start, valueEnd))
  }
  return undefined
}

/** The usage that a JSON object says at its top level within its first bytes. Undefined where these do not say it. */
export function usageAtStart(bytes: Buffer): Usage | undefined {
  const head = bytes.subarray(0, HEAD_BYTES)
  for (let tries = 0, at = head.indexOf(KEY); tries < MOST_TRIES && at !== -1; tries++) {
    if (!isEscaped(head, at) && isTopLevel(head, at)) return usageAfterKey(head, at)
    at = head.indexOf(KEY, at + 1)
  }
  return undefined
}

/** Where the last key of a usage in these bytes stands, with an object for its value; -1 where there is none. */
export function usageKeyBefore(bytes: Buffer, start: number, end: number): number {
  const found = bytes.subarray(start, end).lastIndexOf(KEY)
  if (found === -1) return -1
  const at = start + found
  return isEscaped(bytes, at) || valueAfter(bytes, at + KEY.length) === -1 ? -1 : at
}

/** The usage whose key stands there; undefined where its value is not all there. */
export function usageAfterKey(bytes: Buffer, at: number): Usage | undefined {
  const start = valueAfter(bytes, at + KEY.length)
  const end = start === -1 ? -1 : follow(createBrackets(0), bytes, start, bytes.length)
  return end === -1 ? undefined : readUsage(parsed(bytes, start, end))
}

function isTopLevel(head: Buffer, at: number): boolean {
  const brackets = createBrackets(0)
  return follow(brackets, head, 0, at) === -1 && brackets.depth === 1
}

/** The usage of a whole answer whose members are known; undefined where it says none that can be counted. */
export function usageIn(body: Buffer, { members }: JsonSpans): Usage | undefined {
  for (let last = members.length - 1; last >= 0; last--) {
    const member = members[last]
    if (member?.key === 'usage') return readUsage(parsed(body, member.valueStart, member.valueEnd))
  }
  return undefined
}

/**
 * Tokens as providers write them: `prompt_tokens` and `completion_tokens`, or `input_tokens` and `output_tokens` (images,
 * speech and OpenAI's newer routes). Undefined for anything but whole numbers.
 */
export function readUsage(value: Json | undefined): Usage | undefined {
  if (!isJsonObject(value)) return undefined
  const prompt = value['prompt_tokens'] ?? value['input_tokens'] ?? undefined
  const completion = value['completion_tokens'] ?? value['output_tokens'] ?? undefined
  const total = value['total_tokens'] ?? undefined
  if (prompt === undefined && completion === undefined) return undefined
  const promptTokens = prompt ?? 0
  const completionTokens = completion ?? 0
  if (!isCount(promptTokens) || !isCount(completionTokens)) return undefined
  const totalTokens = total ?? promptTokens + completionTokens
  return isCount(totalTokens) ? { promptTokens, completionTokens, totalTokens } : undefined
}

function isCount(value: Json): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** Where the object begins that stands after a key; -1 where something else does. */
function valueAfter(bytes: Buffer, keyEnd: number): number {
  const colon = skipSpace(bytes, keyEnd)
  if (bytes[colon] !== COLON) return -1
  const start = skipSpace(bytes, colon + 1)
  return bytes[start] === OPEN_BRACE ? start : -1
}

/** Where the value at `start` ends, if the object that it is a member of is the one that ends at `end`; else -1. */
function outermostEnd(bytes: Buffer, start: number, end: number): number {
  let depth = 1
  let valueEnd = -1
  for (let at = start; at < end; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) {
      const closing = closingEnd(bytes, at)
      if (closing === -1 || closing > end) return -1
      at = closing - 1
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--
      if (depth === 1 && valueEnd === -1) valueEnd = at + 1
      if (depth === 0) return skipSpace(bytes, at + 1) >= end ? valueEnd : -1
    }
  }
  return -1
}

function parsed(bytes: Buffer, start: number, end: number): Json | undefined {
  try {
    const value: Json = JSON.parse(bytes.toString('utf8', start, end))
    return value
  } catch (error) {
    // Brackets that match are no proof of JSON between them.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function isEscaped(bytes: Buffer, at: number): boolean {
  let before = at
  while (bytes[before - 1] === BACKSLASH) before--
  return (at - before) % 2 === 1
}

function skipSpace(bytes: Buffer, start: number): number {
  let at = start
  for (; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break
  }
  return at
}
