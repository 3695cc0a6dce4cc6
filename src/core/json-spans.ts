import { isUtf8 } from 'node:buffer'
import { entryOf } from './entry-of.ts'
import { GatewayError } from './failure.ts'
import type { Json } from './json.ts'
import { knownName } from './known-names.ts'
import { closingEnd } from './closing-quote.ts'

/** Where one top-level member of a JSON object stands in the bytes. Offsets are bytes, ends exclusive. */
export interface Member {
  /** The key, unescaped. */
  readonly key: string
  /** Of the key's opening quote. */
  readonly start: number
  readonly valueStart: number
  readonly valueEnd: number
}

/** The top level of a JSON object, found in one pass without parsing what is inside. */
export interface JsonSpans {
  /** In order of appearance; a key that stands twice is listed twice. */
  readonly members: readonly Member[]
  /** Offset of `{` and of the matching `}`. */
  readonly open: number
  readonly close: number
}

/** What to change in a JSON object's top level; values are JSON texts. Where a key stands twice here, `set` wins. */
export interface BodyEdits {
  /** Written over every member of that name, or added. */
  readonly set?: Readonly<Record<string, string>>
  /** Added only where the object, as it came, has no such member. */
  readonly defaults?: Readonly<Record<string, string>>
  readonly remove?: readonly string[]
}

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** More than any real request has; each costs memory, so an attacker could otherwise multiply his bytes. */
const MAX_MEMBERS = 10_000
/** As deep as common JSON readers go; the stack of open brackets is bounded by it. */
const MAX_DEPTH = 1000
/** Keys that stand for themselves: no escapes, nothing beyond ASCII. */
const PLAIN_KEY = /^"[ !#-[\]-~]*"$/

/** Numbers and words that may stand as a value (RFC 8259 §3, §6). */
const SCALAR = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/

/**
 * Finds the top-level members of a JSON object. Long strings are skipped by native search, so the cost does
 * not grow with what is only passed on. Nested values are checked for closed strings and matching brackets
 * only; their reader is whoever they are passed on to.
 * @throws GatewayError bad_request naming line, column and offset where the text is no JSON object
 */
export function scanObject(body: Buffer): JsonSpans {
  const open = skipSpace(body, afterByteOrderMark(body))
  if (body[open] !== OPEN_BRACE) throw invalid(body, open, 'expected an object')
  const members: Member[] = []
  let at = skipSpace(body, open + 1)
  if (body[at] !== CLOSE_BRACE) {
    for (;;) {
      const member = scanMember(body, at)
      if (members.length === MAX_MEMBERS) throw invalid(body, at, `more than ${MAX_MEMBERS} keys`)
      members.push(member)
      at = skipSpace(body, member.valueEnd)
      if (body[at] === CLOSE_BRACE) break
      if (body[at] !== COMMA) throw invalid(body, at, "expected ',' or '}'")
      at = skipSpace(body, at + 1)
    }
  }
  const end = skipSpace(body, at + 1)
  if (end < body.length) throw invalid(body, end, 'trailing data')
  return { members, open, close: at }
}

/**
 * Makes sure that a client's JSON is UTF-8 (RFC 8259 §8.1): passed on it would be refused in words that do not help,
 * and parsed for a provider with words of its own it would say something else than was meant.
 * @throws GatewayError bad_request naming line, column and offset of the first byte that is none
 */
export function requireUtf8(body: Buffer): void {
  if (!isUtf8(body)) throw invalid(body, firstBroken(body), 'not UTF-8')
}

/** Where the first broken character begins: up to there, and up to no later place, the bytes are UTF-8. */
function firstBroken(body: Buffer): number {
  let good = 0
  let bad = body.length + 1
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (lastBoundary(body, middle) === -1) bad = middle
    else good = middle
  }
  return lastBoundary(body, good)
}

/** Of the ends that a character has within four bytes, the last one with only UTF-8 before it; -1 for none. */
function lastBoundary(body: Buffer, end: number): number {
  for (let at = end; at > end - 4 && at >= 0; at--) if (isUtf8(body.subarray(0, at))) return at
  return -1
}

/**
 * The value of a member, parsed; the last one where a key stands twice (as JSON.parse does).
 * @throws GatewayError bad_request where the value is not valid inside
 */
export function memberValue(body: Buffer, spans: JsonSpans, key: string): Json | undefined {
  const member = spans.members.findLast((each) => each.key === key)
  if (member === undefined) return undefined
  try {
    const value: Json = JSON.parse(body.toString('utf8', member.valueStart, member.valueEnd))
    return value
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw invalid(body, member.valueStart, `the value of '${key}' is not valid`)
  }
}

/** A new body with the edits applied, from `{` to `}`; all other bytes are carried over unread. */
export function spliceBody(body: Buffer, spans: JsonSpans, edits: BodyEdits): Buffer {
  const set = edits.set ?? {}
  const remove = edits.remove ?? []
  const pieces: Buffer[] = []
  let copied = spans.open
  let keptEnd = spans.open + 1
  let hasKept = false
  const copyTo = (end: number): void => {
    if (end > copied) pieces.push(body.subarray(copied, end))
    copied = Math.max(copied, end)
  }
  for (let index = 0; index < spans.members.length; index++) {
    const member = spans.members[index]
    if (member === undefined) break
    const value = entryOf(set, member.key)
    if (value === undefined && remove.includes(member.key)) {
      copyTo(keptEnd)
      // The comma that goes with a removed member is the one before it, or after it when nothing stands before.
      copied = hasKept ? member.valueEnd : (spans.members[index + 1]?.start ?? spans.close)
      continue
    }
    if (value !== undefined) {
      copyTo(member.valueStart)
      pieces.push(Buffer.from(value))
      copied = member.valueEnd
    }
    keptEnd = member.valueEnd
    hasKept = true
  }
  copyTo(keptEnd)
  const added = additions(spans, set, edits.defaults)
  if (added !== '') pieces.push(Buffer.from(hasKept ? `,${added}` : added))
  copyTo(spans.close + 1)
  const [only] = pieces
  return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces)
}

function additions(
  { members }: JsonSpans,
  set: Readonly<Record<string, string>>,
  defaults: Readonly<Record<string, string>> = {},
): string {
  const isPresent = (key: string): boolean => members.some((member) => member.key === key)
  let added = ''
  const add = (key: string, value: string | undefined): void => {
    if (isPresent(key)) return
    added += `${added === '' ? '' : ','}${JSON.stringify(key)}:${value}`
  }
  for (const key of Object.keys(set)) add(key, set[key])
  for (const key of Object.keys(defaults)) if (!Object.hasOwn(set, key)) add(key, defaults[key])
  return added
}

function scanMember(body: Buffer, start: number): Member {
  if (body[start] !== QUOTE) throw invalid(body, start, 'expected a key in double quotes')
  const keyEnd = stringEnd(body, start)
  const colon = skipSpace(body, keyEnd)
  if (body[colon] !== COLON) throw invalid(body, colon, "expected ':'")
  const valueStart = skipSpace(body, colon + 1)
  return { key: keyText(body, start, keyEnd), start, valueStart, valueEnd: valueEnd(body, valueStart) }
}

function keyText(body: Buffer, start: number, end: number): string {
  const known = knownName(body, start + 1, end - 1)
  if (known !== undefined) return known
  const text = body.toString('utf8', start, end)
  if (PLAIN_KEY.test(text)) return text.slice(1, -1)
  try {
    const key: unknown = JSON.parse(text)
    if (typeof key === 'string') return key
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw invalid(body, start, 'invalid key')
}

function valueEnd(body: Buffer, start: number): number {
  const first = body[start]
  if (first === QUOTE) return stringEnd(body, start)
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return nestedEnd(body, start)
  let end = start
  while (end < body.length && isScalarByte(body[end])) end++
  if (!SCALAR.test(body.toString('latin1', start, end))) {
    throw invalid(body, end === body.length ? end : start, 'expected a value')
  }
  return end
}

/** The end of an object or array: strings are jumped over, brackets must match. */
function nestedEnd(body: Buffer, start: number): number {
  const closers: number[] = []
  for (let at = start; at < body.length;) {
    const byte = body[at]
    if (byte === QUOTE) {
      at = stringEnd(body, at)
      continue
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (closers.length === MAX_DEPTH) throw invalid(body, at, `more than ${MAX_DEPTH} levels deep`)
      closers.push(byte === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET)
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (closers.pop() !== byte) throw invalid(body, at, `unexpected '${String.fromCharCode(byte)}'`)
      if (closers.length === 0) return at + 1
    }
    at++
  }
  throw invalid(body, body.length, 'unclosed bracket')
}

function stringEnd(body: Buffer, start: number): number {
  const end = closingEnd(body, start)
  if (end === -1) throw invalid(body, body.length, 'unterminated string')
  return end
}

function skipSpace(body: Buffer, start: number): number {
  let at = start
  for (; at < body.length; at++) {
    const byte = body[at]
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break
  }
  return at
}

/** Letters, digits, sign and point: what numbers, true, false and null are made of. */
function isScalarByte(byte: number | undefined): boolean {
  if (byte === undefined) return false
  const lower = byte | 0x20
  return (
    (lower >= 0x61 && lower <= 0x7a) ||
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2b ||
    byte === 0x2d ||
    byte === 0x2e
  )
}

/** Some editors and shells put a UTF-8 byte order mark first; RFC 8259 §8.1 lets a reader ignore it. */
function afterByteOrderMark(body: Buffer): number {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0
}

/** An error with the position as LiteLLM writes it: line and column from 1, characters from 0. */
function invalid(body: Buffer, at: number, what: string): GatewayError {
  const start = afterByteOrderMark(body)
  let line = 1
  let lineStart = start
  for (let next = body.indexOf(0x0a, start); next !== -1 && next < at; next = body.indexOf(0x0a, lineStart)) {
    line++
    lineStart = next + 1
  }
  const column = countCharacters(body, lineStart, at)
  const offset = countCharacters(body, start, lineStart) + column
  const reason = at >= body.length ? 'unexpected end of data' : what
  const message = `Invalid JSON payload: ${reason}: line ${line} column ${column + 1} (char ${offset})`
  return new GatewayError('bad_request', message, { status: 400, source: 'client', param: 'request_body' })
}

/** UTF-8: every byte but a continuation (10xxxxxx) starts a character. */
function countCharacters(body: Buffer, start: number, end: number): number {
  let count = 0
  for (let at = start; at < end; at++) if (((body[at] ?? 0) & 0xc0) !== 0x80) count++
  return count
}
