import type { Clock } from '../core/clock.ts'
import { shortId, type Deployment, type Misconfiguration } from '../core/deployment.ts'
import { asGatewayError, GatewayError } from '../core/failure.ts'
import { scanObject, spliceBody } from '../core/json-spans.ts'
import type { JsonSpans } from '../core/json-spans.ts'
import type { ResolveModel } from '../core/resolve.ts'
import type { Board } from '../health/board.ts'
import type { LineOrProblem } from '../health/subject.ts'
import { decoded, refusalOf, relay } from '../providers/call.ts'
import type { Line } from '../providers/call.ts'
import type { Limits, Stream, WireResponse } from './road.ts'
import { routeHeaders, successHeaders } from './answer-head.ts'
import type { AnswerHeaders } from './answer-head.ts'
import { allowing, clientConnection, redactWith, withClientConnection } from './client-connection.ts'
import { explain } from './explain.ts'
import { fillWildcards } from './directory.ts'
import type { Candidate, Directory } from './directory.ts'
import { HONOURED_FIELDS } from './fields.ts'
import type { Flaw } from './judge.ts'
import { Passage } from './passage.ts'
import type { RelayAnswer } from './passage.ts'
import { pick } from './pick.ts'
import { readChat, unknownModel } from './request.ts'
import type { ChatRead } from './request.ts'
import { translate } from './translate.ts'

/** What the relay is made of. */
export interface ChatRelayDeps {
  readonly directory: Directory
  /** By `Deployment.index`, opened once. */
  readonly lines: (index: number) => LineOrProblem
  /** For a deployment derived for one request. */
  readonly openLine: (deployment: Deployment) => LineOrProblem
  readonly resolve: ResolveModel
  readonly board: Pick<Board, 'health'>
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly settings: RelaySettings
}

/** What the config says about all requests; milliseconds. */
export interface RelaySettings {
  /** From the request to the last byte, where a deployment names no timeout of its own. */
  readonly requestTimeoutMs: number
  /** The router's longest silence of a stream, where a deployment names none. */
  readonly streamTimeoutMs?: number
  /** Write the name asked for over `model` in answers. */
  readonly rewriteResponseModel: boolean
}

/** A client's chat request, read whole. */
export interface ChatRelayRequest {
  readonly body: Buffer
  /** The model that the URL names; it beats the body's. */
  readonly urlModel?: string
}

/** A running request. */
export interface Exchange {
  /** The client can take more. */
  resume(): void
  /** The client is gone: the upstream request is torn down at once. */
  cancel(): void
}

/** Takes chat requests to a deployment and answers back. */
export interface ChatRelay {
  /** Never throws: whatever goes wrong becomes `answer.fail`, possibly before this returns. */
  relay(request: ChatRelayRequest, answer: RelayAnswer): Exchange
}

/** Longest silence within a stream where nothing shorter is configured. */
const IDLE_MS = 600_000
/** The end of even the most talkative stream. */
const MAX_STREAM_MS = 6_000_000
/** What one answer may amount to: passed on, never kept; only an endless one is that large. */
const MAX_ANSWER_BYTES = 2 ** 31
const NOTHING_RUNNING: Exchange = { resume: () => {}, cancel: () => {} }

/** Makes the relay of one gateway. */
export function createChatRelay(deps: ChatRelayDeps): ChatRelay {
  return {
    relay: (request, answer) => {
      let route: AnswerHeaders = {}
      try {
        const plan = planRequest(deps, request)
        route = plan.route
        return start(deps, plan, answer)
      } catch (error) {
        answer.fail(asGatewayError(error), route)
        return NOTHING_RUNNING
      }
    },
  }
}

/** Everything decided before the first byte goes out. */
interface Plan {
  readonly read: ChatRead
  readonly line: Line
  readonly body: Buffer
  readonly spans: JsonSpans
  readonly route: AnswerHeaders
}

function planRequest(deps: ChatRelayDeps, request: ChatRelayRequest): Plan {
  const read = readChat(request.body, request.urlModel)
  const known = deps.directory.candidates(read.model)
  if (known.length === 0) throw unknownModel(read.model)
  const candidates = allowing(read.connectionFields, known)
  const chosen = pick(read.model, candidates, {
    health: (index) => deps.board.health(index),
    problem: (index) => problemOf(deps.lines(index)),
    random: deps.random,
  })
  const line = lineFor(deps, chosen, request.body, read)
  const remove = [...read.gatewayFields, ...read.connectionFields]
  const body = remove.length === 0 ? request.body : spliceBody(request.body, read.spans, { remove })
  return {
    read,
    line,
    body,
    spans: remove.length === 0 ? read.spans : scanObject(body),
    route: routeHeaders(
      read.model,
      line.deployment,
      line.target.base,
      read.gatewayFields.filter((field) => !HONOURED_FIELDS.has(field)),
    ),
  }
}

function problemOf(opened: LineOrProblem): Misconfiguration | undefined {
  return 'misconfigured' in opened ? opened.misconfigured : undefined
}

/** The line of the chosen deployment, with a wildcard's model and a client's connection filled in. */
function lineFor(
  deps: ChatRelayDeps,
  { deployment, captures }: Candidate,
  body: Buffer,
  read: ChatRead,
): Line {
  const isFree = captures !== undefined && deployment.model.startsWith('*')
  const filled = isFree
    ? resolved(deps.resolve, deployment, fillWildcards(deployment.model, captures))
    : deployment
  const client = clientConnection(body, read.spans, read.connectionFields)
  const isOwn = Object.keys(client).length > 0
  const opened =
    isOwn || filled !== deployment
      ? deps.openLine(isOwn ? withClientConnection(filled, client) : filled)
      : deps.lines(deployment.index)
  if ('misconfigured' in opened) {
    const message = `${deployment.group} (${shortId(deployment.id)}): ${opened.misconfigured.message}`
    throw new GatewayError('none_available', message, { source: 'gateway' })
  }
  const { line } = opened
  const model = fillWildcards(line.target.model, captures)
  if (model === line.target.model && !isOwn) return line
  return {
    ...line,
    target: { ...line.target, model },
    redact: isOwn ? redactWith(line.redact, client) : line.redact,
  }
}

/** `model: "*"` takes any provider's model: whose it is shows only in the name asked for. */
function resolved(resolve: ResolveModel, deployment: Deployment, model: string): Deployment {
  const { provider, upstreamModel, problem } = resolve(model, {})
  if (problem !== undefined) throw unknownModel(model)
  return { ...deployment, model, provider, upstreamModel }
}

function start(deps: ChatRelayDeps, plan: Plan, answer: RelayAnswer): Exchange {
  const { line, read, route } = plan
  const { stream } = read
  let running: Stream | undefined
  let stopWaiting = (): void => {}
  const passage = new Passage({
    answer,
    stream,
    route,
    redact: line.redact,
    ...(deps.settings.rewriteResponseModel && { model: read.model }),
    successHeaders: (upstream) => successHeaders(route, upstream, line.redact),
    refusal: (response) => refusalOf(line, response),
    flawed: (flaw, response) => flawed(line, flaw, response),
    explain: (error) => explain(line, error),
    stop: () => running?.cancel(),
    settled: () => stopWaiting(),
  })
  const limits = limitsOf(deps.settings, line.deployment, read)
  if (stream && limits.idleTimeoutMs !== undefined) {
    const firstMs = limits.idleTimeoutMs
    stopWaiting = deps.clock.after(firstMs, () =>
      passage.abandon(new GatewayError('timeout', `no first event within ${firstMs} ms`)),
    )
  }
  try {
    const exchange =
      relay(line, 'chat', plan.body, plan.spans, limits, passage) ??
      translate(line, plan.body, stream, limits, passage)
    running = exchange
    return exchange
  } catch (error) {
    passage.fail(asGatewayError(error))
    return NOTHING_RUNNING
  }
}

/**
 * How long to wait. A stream may last as long as it likes while it keeps talking: its timeouts bound the silence,
 * before the first event and between any two, as LiteLLM's do.
 */
export function limitsOf(
  settings: RelaySettings,
  deployment: Pick<Deployment, 'timeouts'>,
  read: Pick<ChatRead, 'stream' | 'timeoutMs' | 'streamTimeoutMs'>,
): Limits {
  const { timeoutMs, streamTimeoutMs } = deployment.timeouts
  const wholeMs = least(timeoutMs ?? settings.requestTimeoutMs, read.timeoutMs)
  if (!read.stream) return { timeoutMs: wholeMs, idleTimeoutMs: IDLE_MS, maxBytes: MAX_ANSWER_BYTES }
  const silenceMs = least(
    streamTimeoutMs ?? settings.streamTimeoutMs ?? timeoutMs ?? settings.requestTimeoutMs,
    read.streamTimeoutMs ?? read.timeoutMs,
  )
  return {
    timeoutMs: MAX_STREAM_MS,
    idleTimeoutMs: Math.min(silenceMs, IDLE_MS),
    maxBytes: MAX_ANSWER_BYTES,
  }
}

function least(configuredMs: number, clientMs: number | undefined): number {
  return clientMs === undefined ? configuredMs : Math.min(configuredMs, clientMs)
}

/** The codec that proves probes names an answer's flaw best; where it sees none, what we saw is said. */
function flawed(line: Line, flaw: Flaw, response: WireResponse): GatewayError {
  const codec = line.adapter.codecs.chat
  try {
    if (codec !== 'unsupported') decoded(line, codec, { ...response, body: flaw.json ?? response.body })
  } catch (error) {
    return asGatewayError(error)
  }
  return new GatewayError(flaw.kind, `answered ${flaw.seen}`)
}
