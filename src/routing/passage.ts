import type { AnswerFacts } from '../core/answer-facts.ts'
import { asGatewayError, GatewayError } from '../core/failure.ts'
import { scanObject, spliceBody } from '../core/json-spans.ts'
import type { Redact } from '../core/secret.ts'
import type { StreamSink, WireResponse } from './road.ts'
import type { AnswerHeaders } from './answer-head.ts'
import { createEventGate } from './event-gate.ts'
import type { EventGate } from './event-gate.ts'
import {
  bareFlawOf,
  bareOpening,
  flawOf,
  firstByte,
  opening,
  opensObject,
  transcriptFlawOf,
} from './judge.ts'
import type { Flaw } from './judge.ts'
import type { AnswerShape, BareShape } from './operation.ts'

/** Where an answer goes. `head` and `data` are for a good one; exactly one of `end` and `fail` is called, last. */
export interface RelayAnswer {
  head(status: number, headers: AnswerHeaders): void
  /** False asks for a pause; the owner calls `resume` of the exchange when it can take more. */
  data(chunk: Buffer): boolean
  end(facts: AnswerFacts): void
  /** Before `head`: an error answer is still possible. After it: end honestly. */
  fail(error: GatewayError, headers: AnswerHeaders): void
}

/** What a passage needs to know of the exchange it carries. */
export interface PassageOptions {
  readonly answer: RelayAnswer
  /** Was an event stream asked for? */
  readonly stream: boolean
  /** What makes a 2xx an answer. */
  readonly shape: AnswerShape
  /** Headers that failures carry too. */
  readonly route: AnswerHeaders
  /** The headers of a good answer. */
  successHeaders(upstream: AnswerHeaders): Record<string, string>
  /** Names what a non-2xx answer means. */
  refusal(response: WireResponse): GatewayError
  /** Names what is wrong with a 2xx answer. */
  flawed(flaw: Flaw, response: WireResponse): GatewayError
  /** Adds which deployment it was. */
  explain(error: GatewayError): GatewayError
  /** Ends the exchange with the upstream; `sink.fail` may follow and is ignored. */
  stop(): void
  /** Called once, when the first good bytes are there or the exchange is over. */
  settled(): void
  readonly redact: Redact
  /** Set where the answer's `model` is to be replaced. */
  readonly model?: string
}

/** An answer up to this size is judged whole before any of it is sent, and an error text is read no further. */
const MAX_JUDGED_BYTES = 64 * 1024
/** Replacing `model` in an unstreamed answer needs all of it; a larger one passes as it is. */
const MAX_RENAMED_BYTES = 4 * 1024 * 1024

/**
 * One answer on its way from the upstream to a client: good ones pass byte by byte, anything else ends as one
 * error. A class for its private state, like any push parser.
 */
export class Passage implements StreamSink {
  readonly #options: PassageOptions
  #gate: EventGate | undefined
  #phase: 'head' | 'refused' | 'opening' | 'flowing' | 'over' = 'head'
  #status = 0
  #upstream: AnswerHeaders = {}
  #kept: Buffer[] = []
  #keptBytes = 0
  #passedBytes = 0

  constructor(options: PassageOptions) {
    this.#options = options
    // A model that cannot stream its transcript sends it whole, and nobody minds.
    if (options.stream && options.shape.kind !== 'transcript') this.#gate = this.#openGate()
  }

  #openGate(): EventGate {
    const { redact, model } = this.#options
    return createEventGate({ redact, ...(model !== undefined && { model }) })
  }

  head(status: number, headers: AnswerHeaders): void {
    if (this.#phase === 'over') return
    this.#status = status
    this.#upstream = headers
    this.#phase = status >= 200 && status < 300 ? 'opening' : 'refused'
    // Speech can be asked for as events (`stream_format: "sse"`): the answer's type says whether it was.
    if (this.#options.shape.kind !== 'object' && headers['content-type']?.startsWith('text/event-stream'))
      this.#gate ??= this.#openGate()
  }

  data(chunk: Buffer): boolean {
    if (this.#phase === 'flowing') return this.#write(chunk)
    if (this.#phase !== 'opening' && this.#phase !== 'refused') return true
    this.#kept.push(chunk)
    this.#keptBytes += chunk.length
    if (this.#phase === 'opening') return this.#judge()
    if (this.#keptBytes > MAX_JUDGED_BYTES) this.abandon(this.#options.refusal(this.#response()))
    return true
  }

  end(): void {
    if (this.#phase === 'refused') this.#fail(this.#options.refusal(this.#response()))
    else if (this.#phase === 'opening') this.#endWhole()
    else if (this.#phase === 'flowing') this.#endFlow()
  }

  fail(error: Error): void {
    if (this.#phase === 'over') return
    // A refusal whose text broke off is still the refusal that its status says.
    this.#fail(this.#phase === 'refused' ? this.#options.refusal(this.#response()) : asGatewayError(error))
  }

  /** Ends it from our side, with a reason; harmless when already over. */
  abandon(error: GatewayError): void {
    this.#fail(error)
    this.#options.stop()
  }

  #fail(error: GatewayError): void {
    if (this.#phase === 'over') return
    this.#phase = 'over'
    this.#kept = []
    this.#options.settled()
    this.#options.answer.fail(this.#options.explain(error), this.#options.route)
  }

  #whole(): Buffer {
    const [only] = this.#kept
    return this.#kept.length === 1 && only !== undefined ? only : Buffer.concat(this.#kept)
  }

  #response(): WireResponse {
    return { status: this.#status, headers: this.#upstream, body: this.#whole() }
  }

  #write(chunk: Buffer): boolean {
    const ready = this.#gate === undefined ? chunk : this.#gate.push(chunk)
    return ready === undefined ? true : this.#pass(ready)
  }

  #pass(bytes: Buffer): boolean {
    this.#passedBytes += bytes.length
    return this.#options.answer.data(bytes)
  }

  #begin(extra: AnswerHeaders): void {
    this.#phase = 'flowing'
    this.#options.settled()
    this.#options.answer.head(this.#status, { ...this.#options.successHeaders(this.#upstream), ...extra })
  }

  #flowKept(extra: AnswerHeaders): boolean {
    const body = this.#whole()
    this.#kept = []
    this.#begin(extra)
    return this.#write(body)
  }

  #judge(): boolean {
    const { shape } = this.#options
    if (this.#gate !== undefined) return this.#judgeEvents(proofOf(shape))
    return shape.kind === 'object' ? this.#judgeObject(shape.proof) : this.#judgeBare(shape)
  }

  #judgeEvents(proof: string): boolean {
    const bytes = this.#whole()
    const first = opening(bytes, proof)
    if (first === 'events') return this.#flowKept(EVENT_HEADERS)
    if (typeof first === 'object') {
      this.abandon(this.#options.flawed(first, this.#response()))
    } else if (!this.#dropPadding(bytes) && bytes.length > MAX_JUDGED_BYTES) {
      if (first === 'wait') return this.#flowKept(EVENT_HEADERS)
      this.abandon(wholeForStream())
    }
    return true
  }

  /** Sound may begin with any byte, so there is no padding to drop. */
  #judgeBare(shape: BareShape): boolean {
    const bytes = this.#whole()
    const first = bareOpening(shape, this.#upstream['content-type'], bytes)
    if (first === 'bare') return this.#flowKept(bareHeaders(this.#upstream))
    if (first === 'json') return this.#judgeObject(proofOf(shape))
    if (bytes.length > MAX_JUDGED_BYTES) this.abandon(this.#options.flawed(NO_SOUND, this.#response()))
    return true
  }

  #judgeObject(proof: string): boolean {
    const bytes = this.#whole()
    if (this.#dropPadding(bytes)) return true
    const most = this.#options.model === undefined ? MAX_JUDGED_BYTES : MAX_RENAMED_BYTES
    if (!opensObject(bytes))
      this.abandon(this.#options.flawed(flawOf(bytes, proof) ?? NO_OBJECT, this.#response()))
    else if (bytes.length > most) return this.#flowKept(JSON_HEADERS)
    return true
  }

  /** Blank lines that a provider sends while its model thinks are not kept: they may come for minutes. */
  #dropPadding(bytes: Buffer): boolean {
    if (firstByte(bytes) < bytes.length) return false
    this.#kept = []
    this.#keptBytes = 0
    return true
  }

  /** The answer ended while it was still small enough to be judged whole. */
  #endWhole(): void {
    const { model, shape } = this.#options
    const stream = this.#gate !== undefined
    const bytes = this.#whole()
    const type = this.#upstream['content-type']
    if (!stream && shape.kind !== 'object' && bareOpening(shape, type, bytes) !== 'json') {
      this.#endBare(bareFlawOf(shape, type, bytes))
      return
    }
    const proof = proofOf(shape)
    const first = stream && bytes.length > 0 ? opening(bytes, proof) : 'object'
    if (first === 'events' || first === 'wait') {
      this.#flowKept(EVENT_HEADERS)
      this.#endFlow()
      return
    }
    const judge = shape.kind === 'transcript' ? transcriptFlawOf : flawOf
    const flaw = typeof first === 'object' ? first : judge(bytes, proof)
    if (flaw !== undefined || stream) {
      this.#fail(flaw === undefined ? wholeForStream() : this.#options.flawed(flaw, this.#response()))
      return
    }
    const body = model === undefined ? bytes : renamed(bytes, model)
    this.#begin({ ...JSON_HEADERS, 'content-length': String(body.length) })
    this.#pass(body)
    this.#endFlow()
  }

  /** Of sound and bare text, which pass under their own type. */
  #endBare(flaw: Flaw | undefined): void {
    if (flaw !== undefined) {
      this.#fail(this.#options.flawed(flaw, this.#response()))
      return
    }
    this.#flowKept(bareHeaders(this.#upstream))
    this.#endFlow()
  }

  #endFlow(): void {
    this.#phase = 'over'
    const rest = this.#gate?.rest()
    if (rest !== undefined) this.#pass(rest)
    this.#options.answer.end({ bytes: this.#passedBytes })
  }
}

const EVENT_HEADERS: AnswerHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  // nginx would otherwise hold events back until its buffer is full.
  'x-accel-buffering': 'no',
}
const JSON_HEADERS: AnswerHeaders = { 'content-type': 'application/json' }
/** Speech as events has no list; its errors are told by their `error` alone. */
const NO_PROOF = ''
const NO_SOUND: Flaw = { kind: 'wrong_shape', seen: 'a 200 that is no sound' }
const NO_OBJECT: Flaw = { kind: 'wrong_shape', seen: 'a 200 that is no JSON object' }

/** Passed on, an event reader would see nothing at all in it. */
function wholeForStream(): GatewayError {
  return new GatewayError('wrong_shape', 'answered one whole JSON where a stream was asked for')
}

function proofOf(shape: AnswerShape): string {
  return shape.kind === 'sound' ? NO_PROOF : shape.proof
}

/** Sound and bare text are passed on as they came: its type, and its length and packing where they were said. */
function bareHeaders(upstream: AnswerHeaders): AnswerHeaders {
  const { 'content-type': type, 'content-length': length, 'content-encoding': encoding } = upstream
  return {
    'content-type': type ?? 'application/octet-stream',
    ...(length !== undefined && /^\d+$/.test(length) && { 'content-length': length }),
    ...(encoding !== undefined && /^[\w, -]+$/.test(encoding) && { 'content-encoding': encoding }),
  }
}

function renamed(body: Buffer, model: string): Buffer {
  const spans = scanObject(body)
  const hasModel = spans.members.some((member) => member.key === 'model')
  return hasModel ? spliceBody(body, spans, { set: { model: JSON.stringify(model) } }) : body
}
