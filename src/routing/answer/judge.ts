import { GatewayError } from '../../core/failure.ts'
import type { FailureKind } from '../../core/failure.ts'
import { scanObject } from '../../core/json-spans.ts'
import type { JsonSpans } from '../../core/json-spans.ts'
import type { BareShape } from '../request/operation.ts'

/** Why a 2xx answer is no answer: the kind and what was seen. */
export interface Flaw {
  readonly kind: FailureKind
  readonly seen: string
  /** The JSON that says so, where it is not the whole body. */
  readonly json?: Buffer
}

/** What the first bytes of a 2xx answer to a streamed request say. */
export type Opening = 'wait' | 'events' | 'object' | Flaw

const OPEN_BRACE = 0x7b
const QUOTE = 0x22
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
/** How much of a strange answer is quoted. */
const QUOTED_CHARS = 80
/** Values of an `error` member that mean there is none. */
const NO_ERROR: ReadonlySet<string> = new Set(['null', 'false', '""', '{}'])
/** Field names of the event-stream format (WHATWG HTML §9.2.5), and its comment. */
const EVENT_FIELD = /^(?:data|event|id|retry)?:/
/** What a stream says that ends before its first event. */
const NOTHING = Buffer.alloc(0)
/** One byte order mark may stand before all of it. */
const BYTE_ORDER_MARK = /^\uFEFF/
const EVENT_FIELD_NAMES = ['data:', 'event:', 'id:', 'retry:', ':']

/** The offset of the first byte that is no JSON white space. */
export function firstByte(bytes: Buffer): number {
  let at = 0
  while (at < bytes.length && isSpace(bytes[at])) at++
  return at
}

/** True where the text up to its first visible byte may still be a JSON object; some providers pad with blank lines. */
export function opensObject(bytes: Buffer): boolean {
  return bytes[firstByte(bytes)] === OPEN_BRACE
}

/**
 * Judges a whole, small 2xx body: its members where it is an answer, that is where its member `proof` is one: a list
 * that is not empty, unless told otherwise. An error inside a 200 is a flaw; so is text that is no JSON object.
 */
export function judgeWhole(
  body: Buffer,
  proof: string,
  isProof: (body: Buffer, valueStart: number) => boolean = isFilledArray,
): JsonSpans | Flaw {
  if (firstByte(body) === body.length) return { kind: 'empty', seen: 'a 200 with an empty body' }
  let spans: JsonSpans
  try {
    spans = scanObject(body)
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    return { kind: 'wrong_shape', seen: `a 200 that is no JSON object: ${quote(body)}` }
  }
  const listed = spans.members.findLast((member) => member.key === proof)
  if (listed !== undefined && isProof(body, listed.valueStart)) return spans
  if (hasError(body, spans)) return { kind: 'server_error', seen: `an error inside a 200: ${quote(body)}` }
  return { kind: 'wrong_shape', seen: `a 200 without ${proof}: ${quote(body)}` }
}

/** The same where the member need only be there; an error beside it counts. */
export function judgeThere(body: Buffer, proof: string): JsonSpans | Flaw {
  const judged = judgeWhole(body, proof, () => true)
  if ('kind' in judged || !hasError(body, judged)) return judged
  return { kind: 'server_error', seen: `an error inside a 200: ${quote(body)}` }
}

/** Judges the first bytes of an answer that should be an event stream; `wait` asks for more of them. */
export function opening(bytes: Buffer, proof: string): Opening {
  const start = firstByte(bytes)
  if (start === bytes.length) return 'wait'
  if (bytes[start] === OPEN_BRACE) return 'object'
  const text = bytes.toString('utf8', start, start + 16).replace(BYTE_ORDER_MARK, '')
  if (!EVENT_FIELD.test(text)) {
    if (EVENT_FIELD_NAMES.some((name) => name.startsWith(text))) return 'wait'
    return { kind: 'wrong_shape', seen: `a 200 that is no event stream: ${quote(bytes)}` }
  }
  // A comment keeps the connection alive while the model thinks: it must reach the client now.
  if (text.startsWith(':')) return 'events'
  const end = eventEnd(bytes, start)
  if (end === -1) return 'wait'
  return firstEventFlaw(bytes.toString('utf8', start, end), proof) ?? 'events'
}

/** An error as the very first event, or an end in its place, can still become an honest status. */
function firstEventFlaw(event: string, proof: string): Flaw | undefined {
  const lines = event.replace(BYTE_ORDER_MARK, '').split(/\r\n|\r|\n/)
  const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trimStart())
  const bytes = Buffer.from(data.join('\n'))
  if (data[0] === '[DONE]') return { kind: 'empty', seen: 'a 200 with an end alone', json: NOTHING }
  // Some name the event and write the error flat: `event: error`, `data: {"message": …}`.
  const isNamed = lines.some((line) => /^event: ?error$/.test(line))
  const flaw: Flaw = { kind: 'server_error', seen: `an error as the first event: ${quote(bytes)}` }
  if (bytes[0] !== OPEN_BRACE) return isNamed ? flaw : undefined
  try {
    const spans = scanObject(bytes)
    const hasProof = spans.members.some((member) => member.key === proof)
    if (hasProof || !(isNamed || hasError(bytes, spans) || isErrorEvent(bytes, spans))) return undefined
    return { ...flaw, json: bytes }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    return { kind: 'wrong_shape', seen: `a first event that is no JSON: ${quote(bytes)}` }
  }
}

/** In each way to end lines that the format has. */
const BLANK_LINES = ['\n\n', '\r\n\r\n', '\r\r']

/** Where the blank line that ends the first event stands, or -1. */
function eventEnd(bytes: Buffer, start: number): number {
  const found = BLANK_LINES.map((blank) => bytes.indexOf(blank, start)).filter((at) => at !== -1)
  return found.length === 0 ? -1 : Math.min(...found)
}

/** Does an object say that it is an error? Text comparison: the value may be broken inside, and need not be read to know that it is there. */
export function hasError(body: Buffer, spans: JsonSpans): boolean {
  const error = spans.members.findLast((member) => member.key === 'error')
  return error !== undefined && !NO_ERROR.has(body.toString('latin1', error.valueStart, error.valueEnd))
}

/** OpenAI's responses write an error flat: `{"type":"error","code":…}`. */
function isErrorEvent(body: Buffer, spans: JsonSpans): boolean {
  const type = spans.members.findLast((member) => member.key === 'type')
  return type !== undefined && body.toString('latin1', type.valueStart, type.valueEnd) === '"error"'
}

/** Judges the first bytes of an answer that may be bare; `wait` asks for more of them, `json` for an object. */
export function bareOpening(
  { kind }: BareShape,
  contentType: string | undefined,
  bytes: Buffer,
): 'wait' | 'bare' | 'json' {
  return kind === 'sound' ? soundOpening(contentType, bytes) : textOpening(contentType, bytes)
}

/** Judges a whole, small bare answer; undefined where it is what was asked for. */
export function bareFlawOf(
  { kind }: BareShape,
  contentType: string | undefined,
  body: Buffer,
): Flaw | undefined {
  if (kind === 'sound') return soundFlawOf(contentType, body)
  return body.length === 0 ? { kind: 'empty', seen: 'a 200 with no text at all' } : undefined
}

/** What every speech server calls sound, or at least bytes; `text/event-stream` is judged as events. */
const SOUND_TYPE = /^(?:audio\/|application\/octet-stream|binary\/octet-stream|video\/)[\u0020-\u007e]*$/i
/** JSON under the name of sound: an error in disguise, as far as one can tell from so little. */
const JSON_START = /^\s*\{\s*(?:"|$)/
/** How far one looks for it. */
const JSON_START_BYTES = 64

/** Judges the first bytes of an answer that should be sound; `wait` asks for more of them. */
function soundOpening(contentType: string | undefined, bytes: Buffer): 'wait' | 'bare' {
  if (bytes.length === 0 || contentType === undefined || !SOUND_TYPE.test(contentType)) return 'wait'
  return JSON_START.test(bytes.toString('latin1', 0, JSON_START_BYTES)) ? 'wait' : 'bare'
}

/** Judges a whole, small body that `soundOpening` was still waiting for; undefined where it is sound after all. */
function soundFlawOf(contentType: string | undefined, body: Buffer): Flaw | undefined {
  if (body.length === 0) return { kind: 'empty', seen: 'a 200 with no sound at all' }
  const isNamedSound = contentType !== undefined && SOUND_TYPE.test(contentType)
  try {
    const spans = scanObject(body)
    if (hasError(body, spans)) return { kind: 'server_error', seen: `an error inside a 200: ${quote(body)}` }
    return { kind: 'wrong_shape', seen: `a 200 with JSON in place of sound: ${quote(body)}` }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    if (isNamedSound) return undefined
    return { kind: 'wrong_shape', seen: `a 200 of type ${contentType ?? 'unnamed'} in place of sound` }
  }
}

/** What servers call the text, SRT and VTT forms of a transcript; some give them no type of their own. */
const TEXT_TYPE = /^(?:text\/(?!html|event-stream)|application\/(?:x-)?subrip)/i
const LESS_THAN = 0x3c
const HTML_START = /^\s*<(?:!doctype|html)/i
/** How far one looks for it. */
const HTML_START_BYTES = 64

/** Judges the first bytes of an answer that may be bare text; `json` where it must be an object. */
function textOpening(contentType: string | undefined, bytes: Buffer): 'wait' | 'bare' | 'json' {
  if (contentType === undefined || !TEXT_TYPE.test(contentType)) return 'json'
  const start = firstByte(bytes)
  if (start === bytes.length) return start > HTML_START_BYTES ? 'bare' : 'wait'
  if (bytes[start] === OPEN_BRACE) return 'json'
  if (HTML_START.test(bytes.toString('latin1', start, start + HTML_START_BYTES))) return 'json'
  return bytes[start] === LESS_THAN && bytes.length - start < HTML_START_BYTES ? 'wait' : 'bare'
}

/** Judges a whole, small JSON transcript: its text is there, and may be empty, for silence is heard as that. */
export function judgeTranscript(body: Buffer, proof: string): JsonSpans | Flaw {
  return judgeWhole(body, proof, (bytes, valueStart) => bytes[valueStart] === QUOTE)
}

function isFilledArray(body: Buffer, start: number): boolean {
  if (body[start] !== OPEN_BRACKET) return false
  let at = start + 1
  while (isSpace(body[at])) at++
  return body[at] !== CLOSE_BRACKET
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function quote(bytes: Buffer): string {
  const text = bytes.toString('utf8', firstByte(bytes), firstByte(bytes) + 4 * QUOTED_CHARS)
  const oneLine = text.replaceAll(/\s+/g, ' ')
  return oneLine.length > QUOTED_CHARS ? `${oneLine.slice(0, QUOTED_CHARS)}…` : oneLine
}
