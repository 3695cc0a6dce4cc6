import type { Clock } from '../../core/clock.ts'
import type { JsonObject } from '../../core/json.ts'
import type { HttpMode, Operations } from '../../core/mode.ts'
import type { Codec, StreamDecoder } from '../../providers/adapter.ts'
import { picked } from '../../providers/body-defaults.ts'
import { decoded, encode, encodeAllowed, start } from '../../providers/call.ts'
import type { Line } from '../../providers/call.ts'
import { later } from '../../providers/later.ts'
import type { RelayedForm } from '../../providers/form-request.ts'
import type { FieldRules } from '../request/field-rules.ts'
import type { Operation, Sound, Translation } from '../request/operation.ts'
import type { Wording } from '../surfaces/surface.ts'
import type { Limits, Stream, StreamSink, WireRequest, WireResponse } from '../road.ts'
import { refuse } from '../request/request.ts'
import { eventSink, writtenEvents } from './event-sink.ts'
import { followed } from './followed.ts'
import { inlined, type FetchMedia } from './inline-media.ts'
import { readObject } from './read-object.ts'
import { takeForm, type WholeForm } from './take-form.ts'
import { MAX_WHOLE_BYTES, wholeSink, type Written } from './whole-answer.ts'

/** What a translated request has besides its body. */
export interface Translated {
  readonly stream: boolean
  /** Present where it is a form, whose fields are the body. */
  readonly form: RelayedForm | undefined
  /** The request's word on `drop_params`, before the deployment's, and what it allows besides the deployment. */
  readonly fieldRules?: Pick<FieldRules, 'dropParams' | 'keep'>
  readonly fetchMedia: FetchMedia
  readonly clock: Pick<Clock, 'elapsed' | 'after'>
  /** How members of the body are spoken of to the client; absent: as they are called. */
  readonly wording?: Wording | undefined
  /** Told which members the provider cannot be told, where they may be left out. */
  readonly dropped: (names: readonly string[]) => void
}

/**
 * Asks a provider that speaks other words than OpenAI's: the client's body is parsed and encoded, the answer
 * decoded and written down as OpenAI's, before `sink` sees it. Refusals reach `sink` as the provider wrote them.
 * @throws GatewayError bad_request where the body cannot be said in the provider's words
 */
export function translate(
  line: Line,
  operation: Operation,
  body: Buffer,
  asked: Translated,
  limits: Limits,
  sink: StreamSink,
): Stream {
  const { form, clock } = asked
  const startedMs = clock.elapsed()
  const { mode, translation } = operation
  const codec = line.adapter.codecs[mode]
  if (codec === 'unsupported' || translation === undefined)
    throw refuse(`${line.deployment.provider} has no ${mode}.`, 'model')
  const leftOf = (): Limits => ({ ...limits, timeoutMs: limits.timeoutMs - (clock.elapsed() - startedMs) })
  const run = (request: Operations[HttpMode]['request']): Stream =>
    ask({ line, operation, translation, codec, request, asked, leftOf, sink }, limits)
  const defaults = answerDefaults(line, mode)
  if (form === undefined) {
    const json = readObject(body)
    return run(translation.read(defaults === NO_DEFAULTS ? json : { ...defaults, ...json }))
  }
  const readForm = ({ late, file }: WholeForm): Operations[HttpMode]['request'] =>
    translation.read({ ...defaults, ...readObject(body), ...late }, file)
  const taken = takeForm(form, limits.timeoutMs, clock)
  return 'whole' in taken
    ? later(taken.whole.then(readForm), run, sink, () => taken.stop())
    : run(readForm(taken))
}

/** The deployment's defaults that say how an answer is to be written, which is done here. */
function answerDefaults({ target }: Line, mode: HttpMode): JsonObject {
  const names = ANSWER_DEFAULTS[mode]
  return names === undefined ? NO_DEFAULTS : picked(target.bodyDefaults, names)
}

const ANSWER_DEFAULTS: { readonly [M in HttpMode]?: readonly string[] } = {
  audio_transcription: ['response_format', 'timestamp_granularities'],
  rerank: ['rank_fields', 'return_documents', 'top_n'],
}

const NO_DEFAULTS: JsonObject = {}

/** A request that was read, and whom it is for. */
interface Asking<M extends HttpMode = HttpMode> {
  readonly line: Line
  readonly operation: Operation
  readonly translation: Translation<M>
  readonly codec: Codec<M>
  readonly request: Operations[M]['request']
  readonly asked: Translated
  /** What is left of the limits. */
  readonly leftOf: () => Limits
  readonly sink: StreamSink
}

function ask(asking: Asking, limits: Limits): Stream {
  const { line, operation, request, asked, codec } = asking
  const { mode } = operation
  const decoder = asked.stream ? codec.openStream?.(line.target) : undefined
  const isWhole = codec.answersAsIs !== true && (decoder === undefined || codec.next !== undefined)
  if (asked.stream && decoder === undefined && codec.answersAsIs !== true) {
    throw refuse(`${line.deployment.provider} answers are not streamed yet; leave 'stream' out.`, 'stream')
  }
  const { target, later: rest } = destination(asking, decoder)
  const inline = inlined(line, mode, request, limits, asked.fetchMedia)
  const begin = (filled: Operations[HttpMode]['request']): Stream => {
    const left = asked.form === undefined ? limits : asking.leftOf()
    const most = isWhole ? { ...left, maxBytes: Math.min(left.maxBytes, MAX_WHOLE_BYTES) } : left
    return start(line, wireOf(line, mode, filled, asked), most, target)
  }
  const running = inline === undefined ? begin(request) : later(inline, begin, target)
  return rest === undefined ? running : both(running, rest)
}

/** Where an answer goes, and the requests that follow it. */
interface Destination {
  readonly target: StreamSink
  readonly later?: Stream
}

function destination(
  { line, translation, codec, request, asked, leftOf, sink }: Asking,
  decoder: StreamDecoder<Operations[HttpMode]['event']> | undefined,
): Destination {
  if (codec.answersAsIs === true) return { target: sink }
  const isWanted = (event: Operations[HttpMode]['event']): boolean => translation.isWanted(event, request)
  const isPing = (event: Operations[HttpMode]['event']): boolean => translation.isPing?.(event) === true
  const write = (response: WireResponse): Written => {
    const value = decoded(line, codec, response)
    if (!asked.stream) return written(translation.answer(value, request))
    return writtenEvents((translation.events?.(value) ?? []).filter(isWanted))
  }
  if (codec.next !== undefined) {
    const call = followed({ line, codec, request, isStream: asked.stream, leftOf, write, isWanted }, sink)
    return { target: call.target, later: call }
  }
  return {
    target:
      decoder === undefined
        ? wholeSink(sink, { write })
        : eventSink(sink, { decoder, isWanted, isPing, writer: translation.writer?.() }),
  }
}

function both(first: Stream, rest: Stream): Stream {
  return {
    resume: () => {
      first.resume()
      rest.resume()
    },
    cancel: () => {
      rest.cancel()
      first.cancel()
    },
  }
}

/** Encoded, without what the provider cannot be told. @throws GatewayError bad_request where that may not be left out */
function wireOf<M extends HttpMode>(
  line: Line,
  mode: M,
  request: Operations[M]['request'],
  { fieldRules: own, dropped: told, wording }: Translated,
): WireRequest {
  const encoded = encode(line, mode, request)
  if (encoded.dropped === undefined || encoded.dropped.length === 0) return encoded
  const { keep, dropParams } = line.fieldRules
  const allowed = own === undefined ? keep : [...keep, ...own.keep]
  const { dropped: untold = [], ...wire } =
    allowed.length === 0 ? encoded : encodeAllowed(line, mode, encoded, request, allowed)
  const said: Readonly<Record<string, unknown>> = Object(
    'fields' in request && mode === 'audio_transcription' ? request.fields : request,
  )
  // Who writes null has said nothing.
  const meant = untold.filter((name) => !Object.hasOwn(said, name) || said[name] !== null)
  const dropped = wording === undefined ? meant : meant.filter((name) => !wording.wishes.includes(name))
  const lost = dropped.find((name) => Object.hasOwn(said, name))
  if (lost !== undefined && !(own?.dropParams ?? dropParams))
    throw refuse(
      `${line.deployment.provider} cannot be told '${lost}' for this model: leave it out, or have it left out by drop_params.`,
      lost,
    )
  if (dropped.length > 0) told(dropped.map((name) => wording?.own(name) ?? name))
  return wire
}

function written(answer: JsonObject | Sound): Written {
  if (isSound(answer)) return { type: answer.contentType, bytes: Buffer.from(answer.bytes) }
  return { type: 'application/json', bytes: Buffer.from(JSON.stringify(answer)) }
}

function isSound(answer: JsonObject | Sound): answer is Sound {
  return answer['bytes'] instanceof Uint8Array
}
