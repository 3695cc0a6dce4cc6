import { asGatewayError, GatewayError } from '../../core/failure.ts'
import { isJsonObject } from '../../core/json.ts'
import type { JsonObject } from '../../core/json.ts'
import type { HttpMode, Operations } from '../../core/mode.ts'
import type { StreamDecoder } from '../../providers/adapter.ts'
import { decoded, encode } from '../../providers/call.ts'
import type { Line } from '../../providers/call.ts'
import type { Operation, Sound } from '../request/operation.ts'
import type { Limits, Stream, StreamSink, WireRequest } from '../road.ts'
import { refuse } from '../request/request.ts'
import { inlined, type FetchMedia } from './inline-media.ts'

/** An answer that must be read whole to be translated. */
const MAX_WHOLE_BYTES = 64 * 1024 * 1024
const DONE = Buffer.from('data: [DONE]\n\n')

/** What a translated request has besides its body. */
export interface Translated {
  readonly stream: boolean
  /** The request's own word on `drop_params`; absent: the deployment's counts. */
  readonly dropParams?: boolean
  readonly fetchMedia: FetchMedia
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
  const { stream } = asked
  const { mode, translation } = operation
  const codec = line.adapter.codecs[mode]
  if (codec === 'unsupported' || translation === undefined)
    throw refuse(`${line.deployment.provider} has no ${mode}.`, 'model')
  const request = translation.read(readObject(body))
  const decoder = stream ? codec.openStream?.(line.target) : undefined
  if (stream && decoder === undefined) {
    throw refuse(`${line.deployment.provider} answers are not streamed yet; leave 'stream' out.`, 'stream')
  }
  const inline = inlined(line, mode, request, limits, asked.fetchMedia)
  const wire =
    inline === undefined
      ? wireOf(line, mode, request, asked)
      : inline.then((filled) => wireOf(line, mode, filled, asked))
  const broken = (error: unknown): void => sink.fail(asGatewayError(error))
  if (decoder !== undefined)
    return send(
      line,
      wire,
      limits,
      eventSink(sink, decoder, (event) => translation.isWanted(event, request), broken),
    )
  const decode: Decode = (response) => translation.answer(decoded(line, codec, response), request)
  const whole = wholeSink(sink, decode, broken)
  return send(line, wire, { ...limits, maxBytes: Math.min(limits.maxBytes, MAX_WHOLE_BYTES) }, whole)
}

/** Encoded, without what the provider cannot be told. @throws GatewayError bad_request where that may not be left out */
function wireOf<M extends HttpMode>(
  line: Line,
  mode: M,
  request: Operations[M]['request'],
  { dropParams = line.fieldRules.dropParams, dropped: told }: Translated,
): WireRequest {
  const { dropped = [], ...wire } = encode(line, mode, request)
  const own = dropped.find((name) => Object.hasOwn(request, name))
  if (own !== undefined && !dropParams) {
    throw refuse(
      `${line.deployment.provider} cannot be told '${own}' for this model: leave it out, or have it left out by drop_params.`,
      own,
    )
  }
  if (dropped.length > 0) told(dropped)
  return wire
}

/** Pictures or credentials may have to be fetched first; a cancel meanwhile means that nothing is sent. */
function send(
  line: Line,
  wire: WireRequest | Promise<WireRequest>,
  limits: Limits,
  sink: StreamSink,
): Stream {
  const signed = wire instanceof Promise ? wire.then((ready) => line.authorize(ready)) : line.authorize(wire)
  if (!(signed instanceof Promise)) return line.transport.stream(signed, limits, sink)
  let running: Stream | undefined
  let isCancelled = false
  signed.then(
    (ready) => {
      if (!isCancelled) running = line.transport.stream(ready, limits, sink)
    },
    (error: unknown) => {
      if (!isCancelled) sink.fail(asGatewayError(error))
    },
  )
  return {
    resume: () => running?.resume(),
    cancel: () => {
      if (running !== undefined) running.cancel()
      else if (!isCancelled)
        sink.fail(new GatewayError('cancelled', 'the caller went away', { source: 'client' }))
      isCancelled = true
    },
  }
}

function readObject(body: Buffer): JsonObject {
  let parsed: unknown
  try {
    parsed = JSON.parse(body.toString())
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw refuse(`Invalid JSON payload: ${error.message}`, 'request_body')
  }
  if (!isJsonObject(parsed)) throw refuse('the body must be a JSON object.', 'request_body')
  return parsed
}

type Decode = (response: {
  status: number
  headers: Readonly<Record<string, string>>
  body: Buffer
}) => JsonObject | Sound

function written(answer: JsonObject | Sound): { readonly type: string; readonly bytes: Buffer } {
  if (isSound(answer)) return { type: answer.contentType, bytes: Buffer.from(answer.bytes) }
  return { type: 'application/json', bytes: Buffer.from(JSON.stringify(answer)) }
}

function isSound(answer: JsonObject | Sound): answer is Sound {
  return answer['bytes'] instanceof Uint8Array
}

/** Collects a 2xx answer (the limits bound it), decodes it and hands it on whole. */
function wholeSink(sink: StreamSink, decode: Decode, broken: Broken): StreamSink {
  const chunks: Buffer[] = []
  let head: { status: number; headers: Readonly<Record<string, string>> } | undefined
  const isGood = (): boolean => head !== undefined && head.status >= 200 && head.status < 300
  return {
    head: (status, headers) => {
      head = { status, headers }
      if (!isGood()) sink.head(status, headers)
    },
    data: (chunk) => {
      if (!isGood()) return sink.data(chunk)
      chunks.push(chunk)
      return true
    },
    end: () => {
      const good = isGood() ? head : undefined
      if (good === undefined) {
        sink.end()
        return
      }
      attempt(broken, () => {
        const answer = decode({ ...good, body: Buffer.concat(chunks) })
        const { type, bytes } = written(answer)
        const { 'content-length': _, 'content-encoding': __, ...headers } = good.headers
        sink.head(good.status, { ...headers, 'content-type': type, 'content-length': String(bytes.length) })
        sink.data(bytes)
        sink.end()
      })
    },
    fail: (error) => broken(error),
  }
}

/** Turns a provider's events into OpenAI's. */
function eventSink<Event>(
  sink: StreamSink,
  decoder: StreamDecoder<Event>,
  isWanted: (event: Event) => boolean,
  broken: Broken,
): StreamSink {
  let isGood = false
  let isBroken = false
  let hasEvents = false
  const write = (decoded: readonly Event[]): boolean => {
    const events = decoded.filter(isWanted)
    if (events.length === 0) return true
    hasEvents = true
    return sink.data(Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')))
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
