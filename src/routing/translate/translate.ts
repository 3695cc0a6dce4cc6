import type { Clock } from '../../core/clock.ts'
import { asGatewayError } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import type { HttpMode, Operations } from '../../core/mode.ts'
import type { Codec, StreamDecoder } from '../../providers/adapter.ts'
import { decoded, encode, encodeAllowed, start } from '../../providers/call.ts'
import type { Line } from '../../providers/call.ts'
import { later } from '../../providers/later.ts'
import { followUp } from '../../providers/follow-up.ts'
import type { RelayedForm } from '../../providers/form-request.ts'
import { ALIVE } from '../answer/event-watch.ts'
import type { FieldRules } from '../request/field-rules.ts'
import type { Operation, Sound, Translation } from '../request/operation.ts'
import type { Limits, Stream, StreamSink, WireRequest, WireResponse } from '../road.ts'
import { refuse } from '../request/request.ts'
import { inlined, type FetchMedia } from './inline-media.ts'
import { readObject } from './read-object.ts'
import { takeForm, type WholeForm } from './take-form.ts'
import { wholeSink, type Written } from './whole-answer.ts'

/** An answer that must be read whole to be translated. */
const MAX_WHOLE_BYTES = 64 * 1024 * 1024
const DONE_TEXT = 'data: [DONE]\n\n'
const DONE = Buffer.from(DONE_TEXT)

/** What a translated request has besides its body. */
export interface Translated {
  readonly stream: boolean
  /** Present where it is a form, whose fields are the body. */
  readonly form: RelayedForm | undefined
  /** The request's word on `drop_params`, before the deployment's, and what it allows besides the deployment. */
  readonly fieldRules?: Pick<FieldRules, 'dropParams' | 'keep'>
  readonly fetchMedia: FetchMedia
  readonly clock: Pick<Clock, 'elapsed' | 'after'>
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
  if (form === undefined) return run(translation.read(readObject(body)))
  const readForm = ({ late, file }: WholeForm): Operations[HttpMode]['request'] =>
    translation.read({ ...answerDefaults(line, mode), ...readObject(body), ...late }, file)
  const taken = takeForm(form, limits.timeoutMs, clock)
  return 'whole' in taken
    ? later(taken.whole.then(readForm), run, sink, () => taken.stop())
    : run(readForm(taken))
}

/** The deployment's defaults that say how an answer is to be written, which is done here. */
function answerDefaults({ target }: Line, mode: HttpMode): JsonObject {
  if (mode !== 'audio_transcription') return NO_DEFAULTS
  const { response_format: form, timestamp_granularities: times } = target.bodyDefaults
  return {
    ...(form !== undefined && { response_format: form }),
    ...(times !== undefined && { timestamp_granularities: times }),
  }
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
  const isWhole = decoder === undefined && codec.answersAsIs !== true
  if (asked.stream && decoder === undefined && (codec.streamsWhole !== true || isUnstreamable(asking))) {
    throw refuse(`${line.deployment.provider} answers are not streamed yet; leave 'stream' out.`, 'stream')
  }
  const { target, cancel } = decoder === undefined ? unstreamed(asking) : streamed(asking, decoder)
  const inline = inlined(line, mode, request, limits, asked.fetchMedia)
  const begin = (filled: Operations[HttpMode]['request']): Stream => {
    const left = asked.form === undefined ? limits : asking.leftOf()
    const most = isWhole ? { ...left, maxBytes: Math.min(left.maxBytes, MAX_WHOLE_BYTES) } : left
    return start(line, wireOf(line, mode, filled, asked), most, target)
  }
  const running = inline === undefined ? begin(request) : later(inline, begin, target)
  return cancel === undefined ? running : cancelledBy(running, cancel)
}

function isUnstreamable({ translation }: Asking): boolean {
  return translation.events === undefined
}

/** Where an answer goes, and what else a cancel has to stop. */
interface Destination {
  readonly target: StreamSink
  readonly cancel?: () => void
}

function streamed(
  { translation, request, sink }: Asking,
  decoder: StreamDecoder<Operations[HttpMode]['event']>,
): Destination {
  const isWanted = (event: Operations[HttpMode]['event']): boolean => translation.isWanted(event, request)
  return { target: eventSink(sink, decoder, isWanted, (event) => translation.isPing?.(event) === true) }
}

function unstreamed({ line, translation, codec, request, asked, leftOf, sink }: Asking): Destination {
  if (codec.answersAsIs === true) return { target: sink }
  const write = (response: WireResponse): Written => {
    const value = decoded(line, codec, response)
    if (!asked.stream) return written(translation.answer(value, request))
    const events = translation.events?.(value) ?? []
    return writtenEvents(events.filter((event) => translation.isWanted(event, request)))
  }
  if (codec.next === undefined) return { target: wholeSink(sink, { write }) }
  const left = new AbortController()
  const lastOf = async (first: WireResponse): Promise<WireResponse> => {
    const limits = leftOf()
    const maxBytes = Math.min(limits.maxBytes, MAX_WHOLE_BYTES)
    return (await followUp(line, codec, request, first, { ...limits, maxBytes, signal: left.signal }))
      .response
  }
  return { target: wholeSink(sink, { write, lastOf }), cancel: () => left.abort() }
}

function cancelledBy(running: Stream, cancel: () => void): Stream {
  return {
    resume: () => running.resume(),
    cancel: () => {
      cancel()
      running.cancel()
    },
  }
}

/** Encoded, without what the provider cannot be told. @throws GatewayError bad_request where that may not be left out */
function wireOf<M extends HttpMode>(
  line: Line,
  mode: M,
  request: Operations[M]['request'],
  { fieldRules: own, dropped: told }: Translated,
): WireRequest {
  const encoded = encode(line, mode, request)
  if (encoded.dropped === undefined || encoded.dropped.length === 0) return encoded
  const { keep, dropParams } = line.fieldRules
  const allowed = own === undefined ? keep : [...keep, ...own.keep]
  const { dropped = [], ...wire } =
    allowed.length === 0 ? encoded : encodeAllowed(line, mode, encoded, request, allowed)
  const said = 'fields' in request && mode === 'audio_transcription' ? request.fields : request
  const lost = dropped.find((name) => Object.hasOwn(Object(said), name))
  if (lost !== undefined && !(own?.dropParams ?? dropParams)) {
    throw refuse(
      `${line.deployment.provider} cannot be told '${lost}' for this model: leave it out, or have it left out by drop_params.`,
      lost,
    )
  }
  if (dropped.length > 0) told(dropped)
  return wire
}

function written(answer: JsonObject | Sound): Written {
  if (isSound(answer)) return { type: answer.contentType, bytes: Buffer.from(answer.bytes) }
  return { type: 'application/json', bytes: Buffer.from(JSON.stringify(answer)) }
}

function isSound(answer: JsonObject | Sound): answer is Sound {
  return answer['bytes'] instanceof Uint8Array
}

function writtenEvents(events: readonly unknown[]): Written {
  return { type: 'text/event-stream', bytes: Buffer.from(eventText(events) + DONE_TEXT) }
}

function eventText(events: readonly unknown[]): string {
  return events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
}

/** Turns a provider's events into OpenAI's. */
function eventSink<Event>(
  sink: StreamSink,
  decoder: StreamDecoder<Event>,
  isWanted: (event: Event) => boolean,
  isPing: (event: Event) => boolean,
): StreamSink {
  const broken: Broken = (error) => sink.fail(asGatewayError(error))
  let isGood = false
  let isBroken = false
  let hasEvents = false
  const write = (decoded: readonly Event[]): boolean => {
    const events = decoded.filter(isWanted)
    // Before the first event nothing is passed on: it can still be had elsewhere.
    if (events.length === 0) return hasEvents && decoded.some(isPing) ? sink.data(ALIVE) : true
    hasEvents = true
    return sink.data(Buffer.from(eventText(events)))
  }
  return {
    head: (status, headers) => {
      isGood = status >= 200 && status < 300
      sink.head(status, headers)
    },
    data: (chunk) => {
      if (!isGood) return sink.data(chunk)
      if (isBroken) return true
      let wantsMore = true
      isBroken = !attempt(broken, () => {
        wantsMore = write(decoder.push(chunk))
      })
      return wantsMore
    },
    end: () => {
      if (isBroken) return
      if (!isGood) {
        sink.end()
        return
      }
      attempt(broken, () => {
        write(decoder.end())
        if (hasEvents) sink.data(DONE)
        sink.end()
      })
    },
    fail: (error) => broken(error),
  }
}

/** Told why an answer could not be read. */
type Broken = (error: unknown) => void

/** What a decoder throws must not reach the network's code: it ends this answer only. */
function attempt(broken: Broken, run: () => void): boolean {
  try {
    run()
    return true
  } catch (error) {
    broken(error)
    return false
  }
}
