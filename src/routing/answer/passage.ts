import type { AnswerFacts, Usage } from '../../core/answer-facts.ts'
import { asGatewayError, GatewayError } from '../../core/failure.ts'
import type { JsonSpans } from '../../core/json-spans.ts'
import type { StreamSink, WireResponse } from '../road.ts'
import type { AnswerHeaders } from './answer-head.ts'
import {
  cutOff,
  ERROR_EVENT,
  EVENT_HEADERS,
  JSON_HEADERS,
  NO_OBJECT,
  NO_SOUND,
  bareHeaders,
  endsIn,
  judgeObject,
  openingOf,
  proofOf,
  renamed,
  saysEnd,
  wholeForStream,
} from './answer-form.ts'
import type { EventGate } from './event-gate.ts'
import type { EventWatch } from './event-watch.ts'
import {
  bareFlawOf,
  bareOpening,
  firstByte,
  judgeTranscript,
  judgeWhole,
  opensObject,
  type Flaw,
} from './judge.ts'
import type { AnswerShape, BareShape } from '../request/operation.ts'
import { openEvents } from './open-events.ts'
import type { PassageOptions } from './passage-options.ts'
import { refusalIn, tellFailure } from './tell-failure.ts'
import { usageIn } from './usage.ts'
import { createUsageSearch, type UsageSearch } from './usage-search.ts'

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
  #watch: EventWatch | undefined
  /** Of an answer that is too large to be judged whole. */
  #search: UsageSearch | undefined
  #usage: Usage | undefined
  #firstByteMs: number | undefined
  #arrivedMs = 0
  #phase: 'head' | 'refused' | 'opening' | 'flowing' | 'over' = 'head'
  #status = 0
  #upstream: AnswerHeaders = {}
  #kept: Buffer[] = []
  #keptBytes = 0
  #isObject = false
  #passedBytes = 0

  constructor(options: PassageOptions) {
    this.#options = options
    // A model that cannot stream its transcript sends it whole, and nobody minds.
    if (options.stream && options.shape.kind !== 'transcript') this.#gate = this.#openGate()
  }

  #openGate(): EventGate {
    const { watch, gate } = openEvents(this.#options, (sign) => {
      if (sign === 'event') this.#firstByteMs ??= this.#options.clock.precise() - this.#options.startedMs
      this.#options.heard(sign)
    })
    this.#watch = watch
    return gate
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
    this.#arrivedMs = this.#options.clock.precise()
    if (this.#gate === undefined) this.#firstByteMs ??= this.#arrivedMs - this.#options.startedMs
    this.#kept.push(chunk)
    this.#keptBytes += chunk.length
    if (this.#phase === 'opening') return this.#judge()
    if (this.#keptBytes > MAX_JUDGED_BYTES) this.abandon(refusalIn(this.#options, this.#response()))
    return true
  }

  end(): void {
    if (this.#phase === 'refused') this.#fail(refusalIn(this.#options, this.#response()))
    else if (this.#phase === 'opening') {
      this.#arrivedMs = this.#options.clock.precise()
      this.#endWhole()
    } else if (this.#phase === 'flowing') this.#endFlow()
  }

  fail(error: Error): void {
    // A refusal whose text broke off is still the refusal that its status says.
    this.#fail(this.#phase === 'refused' ? refusalIn(this.#options, this.#response()) : asGatewayError(error))
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
    this.#options.over()
    tellFailure(this.#options, error)
  }

  #whole(): Buffer {
    const [only] = this.#kept
    return this.#kept.length === 1 && only !== undefined ? only : Buffer.concat(this.#kept)
  }

  #response(): WireResponse {
    return { status: this.#status, headers: this.#upstream, body: this.#whole() }
  }

  #write(chunk: Buffer): boolean {
    this.#search?.push(chunk)
    const ready = this.#gate === undefined ? chunk : this.#gate.push(chunk)
    return ready === undefined ? true : this.#pass(ready)
  }

  #pass(bytes: Buffer): boolean {
    this.#passedBytes += bytes.length
    const wantsMore = this.#options.answer.data(bytes)
    if (!wantsMore) this.#options.paused()
    return wantsMore
  }

  #begin(extra: AnswerHeaders): void {
    this.#phase = 'flowing'
    const headers = Object.assign(this.#options.successHeaders(this.#arrivedMs), extra)
    this.#options.answer.head(this.#status, headers, this.#options.copies(this.#upstream))
  }

  #flowKept(extra: AnswerHeaders): boolean {
    const body = this.#whole()
    this.#kept = []
    this.#begin(extra)
    return this.#write(body)
  }

  #judge(): boolean {
    const { shape } = this.#options
    if (this.#gate !== undefined) return this.#judgeEvents()
    return shape.kind === 'object' ? this.#judgeObject(shape.proof) : this.#judgeBare(shape)
  }

  #judgeEvents(): boolean {
    const bytes = this.#whole()
    const first = openingOf(this.#options.shape, bytes)
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
    const most = this.#options.model === undefined ? MAX_JUDGED_BYTES : MAX_RENAMED_BYTES
    // To put it together for each of its pieces would take time by the square of its size.
    if (this.#isObject && this.#keptBytes <= most) return true
    const bytes = this.#whole()
    if (this.#dropPadding(bytes)) return true
    this.#isObject = opensObject(bytes)
    if (!this.#isObject) {
      const judged = judgeWhole(bytes, proof)
      this.abandon(this.#options.flawed('kind' in judged ? judged : NO_OBJECT, this.#response()))
    } else if (bytes.length > most) {
      this.#search = createUsageSearch(bytes)
      return this.#flowKept(JSON_HEADERS)
    }
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
    const { shape } = this.#options
    const bytes = this.#whole()
    const type = this.#upstream['content-type']
    if (this.#gate !== undefined) this.#endOpening(bytes, shape)
    else if (shape.kind === 'object') this.#endObject(bytes, judgeObject(shape, bytes))
    else if (bareOpening(shape, type, bytes) !== 'json') this.#endBare(bareFlawOf(shape, type, bytes))
    else this.#endObject(bytes, judgeTranscript(bytes, proofOf(shape)))
  }

  /** A stream that ended before its first event was whole: a short one, or one that broke off. */
  #endOpening(bytes: Buffer, shape: AnswerShape): void {
    const proof = proofOf(shape)
    const first = bytes.length > 0 ? openingOf(shape, bytes) : 'object'
    if (first === 'events' || first === 'wait') {
      // Nothing was sent yet: it can still be had elsewhere.
      if (saysEnd(shape) && !endsIn(shape, bytes)) this.#fail(cutOff())
      else {
        this.#flowKept(EVENT_HEADERS)
        this.#endFlow()
      }
      return
    }
    const judged = typeof first === 'object' ? first : judgeWhole(bytes, proof)
    this.#fail('kind' in judged ? this.#options.flawed(judged, this.#response()) : wholeForStream())
  }

  #endObject(bytes: Buffer, judged: JsonSpans | Flaw): void {
    if ('kind' in judged) {
      this.#fail(this.#options.flawed(judged, this.#response()))
      return
    }
    const { model } = this.#options
    this.#usage = usageIn(bytes, judged)
    const body = model === undefined ? bytes : renamed(bytes, judged, model)
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
    const rest = this.#gate?.rest()
    const error = this.#watch?.error()
    // Half a line is kept back: the error event that follows must be readable.
    const { asked, shape } = this.#options
    if (this.#watch?.isFinished(asked) === false && error === undefined && saysEnd(shape)) {
      this.#fail(cutOff())
      return
    }
    this.#phase = 'over'
    this.#options.over()
    try {
      if (rest !== undefined) this.#pass(rest)
      this.#options.answer.end(this.#facts(error))
    } catch (thrown) {
      tellFailure(this.#options, asGatewayError(thrown))
    }
  }

  #facts(error: Buffer | undefined): AnswerFacts {
    const facts: { -readonly [Fact in keyof AnswerFacts]: AnswerFacts[Fact] } = { bytes: this.#passedBytes }
    const usage = this.#usage ?? this.#watch?.usage() ?? this.#search?.usage()
    if (usage !== undefined) facts.usage = usage
    if (this.#firstByteMs !== undefined) facts.firstByteMs = this.#firstByteMs
    if (error !== undefined) {
      const named = this.#options.flawed({ ...ERROR_EVENT, json: error }, this.#response())
      facts.flaw = this.#options.explain(named)
    }
    return facts
  }
}
