import type { Usage } from '../../core/answer-facts.ts'
import { scanObject } from '../../core/json-spans.ts'
import { GatewayError } from '../../core/failure.ts'
import { hasError } from './judge.ts'
import type { AskedChoices } from '../request/choices.ts'
import { createFinishes, finishIn } from './finishes.ts'
import { usageAtEnd } from './usage.ts'

/** What lines say: nothing (comments do), that the stream is alive (pings), or something. */
export type Sign = 'nothing' | 'life' | 'event'

/** What one looks for in the lines of an event stream; nothing is parsed but what is found. */
export interface EventWatch {
  /** Whole lines, as they pass; `isPlain` as the function of that name says. */
  see(lines: Buffer, isPlain: boolean): Sign
  /** The last usage that an event said: those before it count less far. */
  usage(): Usage | undefined
  /** Events said that the answer is complete: `[DONE]`, or a `finish_reason` of each choice that was asked for. */
  isFinished(asked: AskedChoices | undefined): boolean
  /** The JSON of the first event that was an error. */
  error(): Buffer | undefined
}

/** All that is looked for, in one search: most events hold none of it. */
const TELLING = /"error"|"finish_reason": *"|"usage": *\{|\[DONE\]/
/** Short text is searched fastest as text, long text as the bytes it is. */
const MOST_TEXT_BYTES = 8192

/** True where nothing in these lines needs a closer look; `telling`: what would, of another API's events. */
export function isPlain(lines: Buffer, telling: RegExp = TELLING): boolean {
  return lines.length <= MOST_TEXT_BYTES && !telling.test(lines.toString('latin1'))
}

const COMMENT = 0x3a
const LINE_END = 0x0a
const CARRIAGE_RETURN = 0x0d
const SPACE = 0x20
const OPEN_BRACE = 0x7b
const DONE = '[DONE]'
const USAGE = '"usage":'
const ERROR = '"error"'
const DATA = 'data:'

/** Begins to watch. */
export function createEventWatch(): EventWatch {
  let usage: Usage | undefined
  let isDone = false
  const finishes = createFinishes()
  let error: Buffer | undefined
  return {
    see: (lines, isPlain) => {
      const sign = signOf(lines)
      if (isPlain || sign !== 'event') return sign
      isDone ||= saysDone(lines)
      if (!isDone) finishes.see(lines)
      usage = lastUsage(lines) ?? usage
      error ??= errorIn(lines)
      return sign
    },
    usage: () => usage,
    isFinished: (asked) => isDone || finishes.areAll(asked),
    error: () => error,
  }
}

/** True where the bytes of a stream that never reached the watch end it. */
export function isLast(lines: Buffer): boolean {
  return finishIn(lines, 0) !== -1 || saysDone(lines)
}

function saysDone(lines: Buffer): boolean {
  for (let at = lines.indexOf(DONE); at !== -1; at = lines.indexOf(DONE, at + DONE.length))
    if (isWholeData(lines, at)) return true
  return false
}

/** The same words within a text have something else before them: a line's start, `data:` and a space or none are it. */
function isWholeData(lines: Buffer, at: number): boolean {
  const end = lines[at - 1] === SPACE ? at - 1 : at
  const start = end - DATA.length
  return (start === 0 || lines[start - 1] === LINE_END) && lines.toString('latin1', start, end) === DATA
}

/** OpenAI's other events say `"usage":null`, so most that is found is passed over. */
function lastUsage(lines: Buffer): Usage | undefined {
  for (let at = lines.lastIndexOf(USAGE); at !== -1; at = at === 0 ? -1 : lines.lastIndexOf(USAGE, at - 1)) {
    if (lines[skipSpace(lines, at + USAGE.length)] !== OPEN_BRACE) continue
    const usage = usageAtEnd(lines, lineEnd(lines, at))
    if (usage !== undefined) return usage
  }
  return undefined
}

/** A comment of our own: the upstream has said that it is alive, in words that are not passed on. */
export const ALIVE = Buffer.from(': alive\n\n')
/** Pings that a server sends while its model thinks (https://platform.claude.com/docs/en/build-with-claude/streaming). */
const PINGS = /^(?:(?:event: ?ping|data: ?\{ ?"type": ?"ping" ?\})?\r?\n)+$/
/** They are short; what is longer is not looked at. */
const MOST_PING_BYTES = 80

/** What these whole lines say. */
export function signOf(lines: Buffer): Sign {
  if (isCommentary(lines)) return lines.includes(ALIVE) ? 'life' : 'nothing'
  return lines.length <= MOST_PING_BYTES && PINGS.test(lines.toString('latin1')) ? 'life' : 'event'
}

/** Comments and blank lines only: they keep a connection open, and anybody on the way may write them. */
function isCommentary(lines: Buffer): boolean {
  for (let start = 0; start < lines.length;) {
    const first = lines[start]
    if (first !== COMMENT && first !== LINE_END && first !== CARRIAGE_RETURN) return false
    const end = lines.indexOf(LINE_END, start)
    if (end === -1) return true
    start = end + 1
  }
  return true
}

/** The first `data:` line whose JSON has an error at its top level. */
function errorIn(lines: Buffer): Buffer | undefined {
  if (!lines.includes(ERROR)) return undefined
  for (let start = 0; start < lines.length;) {
    const end = lineEnd(lines, start)
    const json = lines.subarray(start + DATA.length, end)
    if (lines.toString('latin1', start, start + DATA.length) === DATA && isError(json))
      return Buffer.from(json)
    start = end + 1
  }
  return undefined
}

function isError(json: Buffer): boolean {
  try {
    return hasError(json, scanObject(json))
  } catch (error) {
    // `[DONE]`, and whatever else is no object.
    if (error instanceof GatewayError) return false
    throw error
  }
}

function lineEnd(lines: Buffer, at: number): number {
  const end = lines.indexOf(LINE_END, at)
  return end === -1 ? lines.length : end
}

function skipSpace(lines: Buffer, start: number): number {
  let at = start
  while (lines[at] === SPACE) at++
  return at
}
