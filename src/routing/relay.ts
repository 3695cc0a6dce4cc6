import type { Deployment } from '../core/deployment.ts'
import { asGatewayError, GatewayError } from '../core/failure.ts'
import { decoded, refusalOf, relay } from '../providers/call.ts'
import type { Line } from '../providers/call.ts'
import type { Limits, Stream, WireResponse } from './road.ts'
import { alsoDropped, createCopyHeaders, successHeaders } from './answer/answer-head.ts'
import type { AnswerHeaders, CopyHeaders } from './answer/answer-head.ts'
import { explain, inOwnWords } from './answer/explain.ts'
import { begun, createSpent, durations, over } from './answer/spent.ts'
import type { Spent } from './answer/spent.ts'
import { travel } from './journey/journey.ts'
import type { JourneyDeps } from './journey/journey-parts.ts'
import type { Flaw } from './answer/judge.ts'
import type { Operation } from './request/operation.ts'
import { answerLate, answerMock, canMock } from './answer/mock-answer.ts'
import { Passage } from './answer/passage.ts'
import type { RelayAnswer } from './answer/relay-answer.ts'
import { createPatience } from './answer/patience.ts'
import type { Patience, Silence } from './answer/patience.ts'
import { readAsked } from './choice/plan.ts'
import type { Plan, RelayRequest } from './choice/plan.ts'
import type { RequestRead } from './request/request.ts'
import { askNative } from './surfaces/ask-native.ts'
import type { TellRoute } from './surfaces/surface.ts'
import type { CountText } from './surfaces/text-counter.ts'
import type { FetchMedia } from './translate/inline-media.ts'
import { translate, type Translated } from './translate/translate.ts'

/** What the relay is made of. */
export interface RelayDeps extends JourneyDeps {
  readonly settings: JourneyDeps['settings'] & RelaySettings
  readonly fetchMedia: FetchMedia
  readonly countText: CountText
}

/** What the config says about all requests; milliseconds. */
export interface RelaySettings {
  /** From the request to the last byte, where a deployment names no timeout of its own. */
  readonly requestTimeoutMs: number
  /** The router's longest silence of a stream, where a deployment names none. */
  readonly streamTimeoutMs?: number
  /** Its longest wait for the first event of a stream, and its longest silence after it, where they are written. */
  readonly firstTokenMs?: number
  readonly streamIdleMs?: number
  /** Write the name asked for over `model` in answers. */
  readonly rewriteResponseModel: boolean
}

/** A running request. */
export interface Exchange {
  /** The client can take more. */
  resume(): void
  /** The client is gone: the upstream request is torn down at once. */
  cancel(): void
}

/** Takes requests to a deployment and answers back. */
export interface Relay {
  /** Never throws: whatever goes wrong becomes `answer.fail`, possibly before this returns. */
  relay(request: RelayRequest, answer: RelayAnswer): Exchange
}

/** Longest silence within a stream where nothing shorter is configured. */
const IDLE_MS = 600_000
/** The end of even the most talkative stream. */
const MAX_STREAM_MS = 6_000_000
/** What one answer may amount to: passed on, never kept; only an endless one is that large. */
const MAX_ANSWER_BYTES = 2 ** 31
const NOTHING_RUNNING: Exchange = { resume: () => {}, cancel: () => {} }

/** Makes the relay of one gateway. */
export function createRelay(deps: RelayDeps): Relay {
  const ground: Ground = { ...deps, copyHeaders: createCopyHeaders() }
  return {
    relay: (request, answer) => {
      try {
        const spent = createSpent(answer, deps.clock.precise())
        return travel(deps, readAsked(request, deps.settings.tags), answer, (plan, next, connectMs) =>
          start(ground, plan, next, spent, connectMs),
        )
      } catch (error) {
        answer.fail(asGatewayError(error), {})
        return NOTHING_RUNNING
      }
    },
  }
}

/** What attempts run on. */
interface Ground extends RelayDeps {
  readonly copyHeaders: CopyHeaders
}

function start(
  deps: Ground,
  plan: Plan,
  answer: RelayAnswer,
  spent: Spent,
  connectTimeoutMs: () => number,
): Stream {
  const { operation, line, read } = plan
  let { route } = plan
  const { clock } = deps
  const silence = read.stream ? silenceOf(deps.settings, line.deployment, read) : undefined
  const limits = { ...limitsOf(deps.settings, line.deployment, read, silence), connectTimeoutMs }
  let timeoutMs = limits.timeoutMs
  let running: Stream | undefined
  let patience: Patience | undefined
  const startedMs = clock.precise()
  begun(spent, startedMs)
  const stop = (): void => running?.cancel()
  const passage = new Passage({
    answer: plan.reword === undefined ? answer : plan.reword(answer, stop, Math.floor(clock.now() / 1000)),
    client: spent.client,
    stream: read.stream,
    asked: plan,
    shape: operation.answer,
    redact: line.redact,
    clock,
    startedMs,
    ...(deps.settings.rewriteResponseModel && { model: read.model }),
    successHeaders: (arrivedMs) => successHeaders(route, plan.detours, durations(spent, arrivedMs, clock)),
    copies: (upstream) => deps.copyHeaders(upstream, line.redact),
    failureHeaders: (error) => failureHeaders(route, error, timeoutMs),
    refusal: (response) => refusalOf(line, response),
    flawed: (flaw, response) => flawed(line, operation, flaw, response),
    explain: (error) => explain(line, plan.wording === undefined ? error : inOwnWords(error, plan.wording)),
    stop,
    heard: (sign) => patience?.heard(sign),
    paused: () => patience?.paused(),
    over: () => {
      patience?.stop()
      over(spent, clock.precise())
    },
  })
  if (silence !== undefined)
    patience = createPatience(clock, silence, (error, waitedMs) => {
      timeoutMs = waitedMs
      passage.abandon(error)
    })
  const tell: TellRoute = (change) => {
    route = change(route)
  }
  try {
    const exchange = sent(deps, plan, limits, passage, tell)
    if (spent.running === 1) spent.sinceMs = clock.precise()
    running = exchange
    return patience === undefined ? exchange : patient(exchange, patience)
  } catch (error) {
    passage.fail(asGatewayError(error))
    return NOTHING_RUNNING
  }
}

/** In the provider's own words, made here, as it came, or translated. */
function sent(deps: Ground, plan: Plan, limits: Limits, passage: Passage, tell: TellRoute): Stream {
  const { operation, line, body, spans, form, native } = plan
  return (
    (native && askNative(line, { native, body, spans }, limits, passage, deps.fetchMedia)) ??
    plan.made?.(limits, passage, { countText: deps.countText, tell }) ??
    mocked(deps, plan, limits, passage) ??
    relay(line, operation.side ?? operation.mode, body, spans, limits, passage, form) ??
    translate(line, operation, body, translated(deps, plan, tell), limits, passage)
  )
}

function translated(
  { fetchMedia, clock }: Pick<RelayDeps, 'fetchMedia' | 'clock'>,
  { read: { stream, fieldRules }, form, wording }: Plan,
  tell: TellRoute,
): Translated {
  const dropped = (names: readonly string[]): void => tell((route) => alsoDropped(route, names))
  const own = fieldRules === undefined ? undefined : { fieldRules }
  return { stream, fetchMedia, clock, dropped, form, wording, ...own }
}

/** While its client takes nothing, a stream is not waited for. */
function patient(exchange: Stream, patience: Patience): Stream {
  return {
    resume: () => {
      patience.resumed()
      exchange.resume()
    },
    cancel: () => exchange.cancel(),
  }
}

/** What a failure says of its deployment; where our own patience was over, also for how long it had lasted. */
function failureHeaders(route: AnswerHeaders, error: GatewayError, timeoutMs: number): AnswerHeaders {
  if (error.kind !== 'timeout' || error.upstreamStatus !== undefined) return route
  return { ...route, 'x-litellm-timeout': String(timeoutMs / 1000) }
}

/** The answer of whoever is not to be asked at all. */
function mocked(
  { clock, random }: RelayDeps,
  plan: Plan,
  limits: Limits,
  passage: Passage,
): Stream | undefined {
  const { operation, read, line } = plan
  const response = read.mockResponse ?? line.deployment.mockResponse
  if (response === undefined || !canMock(operation)) return undefined
  const id = `chatcmpl-${Math.floor(random() * 2 ** 48).toString(16)}`
  const created = Math.floor(clock.now() / 1000)
  const mock = { response, model: read.model, isStream: read.stream, id, created }
  const delayMs = read.mockResponse === undefined ? line.deployment.mockDelayMs : read.mockDelayMs
  if (delayMs === undefined) return answerMock(operation, mock, passage)
  return answerLate(clock, delayMs, limits, () => answerMock(operation, mock, passage), passage)
}

/**
 * How long to wait. A stream may last as long as it likes while it keeps talking: of it only the silence is bounded,
 * here that of its bytes and in `silenceOf` that of its events.
 */
export function limitsOf(
  settings: RelaySettings,
  deployment: Pick<Deployment, 'timeouts'>,
  read: Pick<RequestRead, 'timeoutMs'>,
  silence: Silence | undefined,
): Limits {
  const maxBytes = MAX_ANSWER_BYTES
  if (silence === undefined) {
    const timeoutMs = least(deployment.timeouts.timeoutMs ?? settings.requestTimeoutMs, read.timeoutMs)
    return { timeoutMs, idleTimeoutMs: IDLE_MS, maxBytes }
  }
  const idleTimeoutMs = Math.min(Math.max(silence.firstMs, silence.idleMs), MAX_STREAM_MS)
  return { timeoutMs: MAX_STREAM_MS, idleTimeoutMs, maxBytes }
}

/**
 * How long a stream may be silent, before its first event and between any two: what is written for that, else the
 * `stream_timeout`, else the `timeout`, of the deployment before that of the router; a client may only shorten it.
 */
export function silenceOf(
  settings: RelaySettings,
  { timeouts }: Pick<Deployment, 'timeouts'>,
  read: Pick<RequestRead, 'timeoutMs' | 'streamTimeoutMs'>,
): Silence {
  const general =
    timeouts.streamTimeoutMs ?? settings.streamTimeoutMs ?? timeouts.timeoutMs ?? settings.requestTimeoutMs
  const bounded = Math.min(general, IDLE_MS)
  const clientMs = read.streamTimeoutMs ?? read.timeoutMs
  const idleMs = least(timeouts.streamIdleMs ?? settings.streamIdleMs ?? bounded, clientMs)
  return {
    firstMs: least(timeouts.firstTokenMs ?? settings.firstTokenMs ?? bounded, clientMs),
    idleMs,
    pingedMs: Math.max(idleMs, least(bounded, clientMs)),
  }
}

function least(configuredMs: number, clientMs: number | undefined): number {
  return clientMs === undefined ? configuredMs : Math.min(configuredMs, clientMs)
}

/** The codec that proves probes names an answer's flaw best; where it sees none, what we saw is said. */
function flawed(line: Line, { mode, surface }: Operation, flaw: Flaw, response: WireResponse): GatewayError {
  // The codec reads a surface's errors, but none of its answers; and it is we who heed filters.
  const isOurs = surface !== undefined || flaw.kind === 'content_policy'
  if (isOurs && flaw.kind !== 'server_error') return new GatewayError(flaw.kind, `answered ${flaw.seen}`)
  const codec = line.adapter.codecs[mode]
  try {
    if (codec !== 'unsupported') decoded(line, codec, { ...response, body: flaw.json ?? response.body })
  } catch (error) {
    return asGatewayError(error)
  }
  return new GatewayError(flaw.kind, `answered ${flaw.seen}`)
}
