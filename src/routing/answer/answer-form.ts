import { GatewayError } from '../../core/failure.ts'
import { spliceBody } from '../../core/json-spans.ts'
import type { JsonSpans } from '../../core/json-spans.ts'
import type { AnswerHeaders } from './answer-head.ts'
import { isLast } from './event-watch.ts'
import { FILTERED, heedingOpening, isFiltered } from './filtered.ts'
import { judgeThere, judgeWhole, opening } from './judge.ts'
import type { Flaw, Opening } from './judge.ts'
import type { AnswerShape } from '../request/operation.ts'

/** The headers of an event stream. */
export const EVENT_HEADERS: AnswerHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  // nginx would otherwise hold events back until its buffer is full.
  'x-accel-buffering': 'no',
}
/** The headers of a JSON answer. */
export const JSON_HEADERS: AnswerHeaders = { 'content-type': 'application/json' }
/** Speech as events has no list; its errors are told by their `error` alone. */
const NO_PROOF = ''
/** A 200 that goes on, and is no sound. */
export const NO_SOUND: Flaw = { kind: 'wrong_shape', seen: 'a 200 that is no sound' }
/** An event of a stream that had begun well. */
export const ERROR_EVENT: Flaw = { kind: 'server_error', seen: 'an error within the stream' }
/** A 200 that goes on, and is no JSON object. */
export const NO_OBJECT: Flaw = { kind: 'wrong_shape', seen: 'a 200 that is no JSON object' }

/** Passed on, an event reader would see nothing at all in it. */
export function wholeForStream(): GatewayError {
  return new GatewayError('wrong_shape', 'answered one whole JSON where a stream was asked for')
}

/** A stream that ended in order, but before its answer did. */
export function cutOff(): GatewayError {
  return new GatewayError('cut', 'the stream ended without a word that its answer is complete')
}

/** Do streams of this shape say when they are complete? */
export function saysEnd(shape: AnswerShape): boolean {
  return shape.kind === 'object' && shape.saysEnd === true
}

/** Do these bytes, all of a short stream, end it in order? */
export function endsIn(shape: AnswerShape, bytes: Buffer): boolean {
  const last = shape.kind === 'object' ? shape.signs?.last : undefined
  if (last === undefined) return isLast(bytes)
  return bytes
    .toString()
    .split('\n')
    .some((line) => last.test(line))
}

/** Judges a whole, small answer of this shape. */
export function judgeObject(
  shape: Extract<AnswerShape, { readonly kind: 'object' }>,
  bytes: Buffer,
): JsonSpans | Flaw {
  if (shape.heedsFilter === true && isFiltered(bytes)) return FILTERED
  if (shape.isLoose !== true) return judgeWhole(bytes, shape.proof)
  const judged = judgeThere(bytes, shape.proof)
  if (shape.orProof === undefined || !('kind' in judged)) return judged
  const other = judgeThere(bytes, shape.orProof)
  return 'kind' in other ? judged : other
}

/** What the first bytes of a stream of this shape say. */
export function openingOf(shape: AnswerShape, bytes: Buffer): Opening {
  const isHeeded = shape.kind === 'object' && shape.heedsFilter === true
  return isHeeded ? heedingOpening(bytes, shape.proof) : opening(bytes, proofOf(shape))
}

/** The list that makes an answer of this shape. */
export function proofOf(shape: AnswerShape): string {
  return shape.kind === 'sound' ? NO_PROOF : shape.proof
}

/** Sound and bare text are passed on as they came: their type, and their length and packing where they were said. */
export function bareHeaders(upstream: AnswerHeaders): AnswerHeaders {
  const { 'content-type': type, 'content-length': length, 'content-encoding': encoding } = upstream
  return {
    'content-type': type ?? 'application/octet-stream',
    ...(length !== undefined && /^\d+$/.test(length) && { 'content-length': length }),
    ...(encoding !== undefined && /^[\w, -]+$/.test(encoding) && { 'content-encoding': encoding }),
  }
}

/** A body with its `model` replaced, where it has one. */
export function renamed(body: Buffer, spans: JsonSpans, model: string): Buffer {
  const hasModel = spans.members.some((member) => member.key === 'model')
  return hasModel ? spliceBody(body, spans, { set: { model: JSON.stringify(model) } }) : body
}
