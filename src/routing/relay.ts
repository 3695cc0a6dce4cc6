import type { Deployment } from '../core/deployment.ts'
import { asGatewayError, GatewayError } from '../core/failure.ts'
import { decoded, refusalOf, relay } from '../providers/call.ts'
import type { Line } from '../providers/call.ts'
import type { Limits, Stream, WireResponse } from './road.ts'
import { successHeaders } from './answer-head.ts'
import { explain } from './explain.ts'
import { travel } from './journey.ts'
import type { JourneyDeps } from './journey.ts'
import type { Flaw } from './judge.ts'
import type { Operation } from './operation.ts'
import { Passage } from './passage.ts'
import type { RelayAnswer } from './passage.ts'
import { readAsked } from './plan.ts'
import type { Plan, RelayRequest } from './plan.ts'
import type { RequestRead } from './request.ts'
import { translate } from './translate.ts'

/** What the relay is made of. */
export interface RelayDeps extends JourneyDeps {
  readonly settings: JourneyDeps['settings'] & RelaySettings
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
  return {
    relay: (request, answer) => {
      try {
        return travel(deps, readAsked(request), answer, (plan, next) => start(deps, plan, next))
      } catch (error) {
        answer.fail(asGatewayError(error), {})
        return NOTHING_RUNNING
      }
    },
  }
}

function start(deps: RelayDeps, plan: Plan, answer: RelayAnswer): Exchange {
  const { operation, line, read, route } = plan
  const { stream } = read
  let running: Stream | undefined
  let stopWaiting = (): void => {}
  const passage = new Passage({
    answer,
    stream,
    shape: operation.answer,
    route,
    redact: line.redact,
    ...(deps.settings.rewriteResponseModel && { model: read.model }),
    successHeaders: (upstream) => successHeaders(route, upstream, line.redact, plan.detours),
    refusal: (response) => refusalOf(line, response),
    flawed: (flaw, response) => flawed(line, operation, flaw, response),
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
      relay(line, operation.side ?? operation.mode, plan.body, plan.spans, limits, passage, plan.form) ??
      translate(line, operation, plan.body, stream, limits, passage)
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
  read: Pick<RequestRead, 'stream' | 'timeoutMs' | 'streamTimeoutMs'>,
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
function flawed(line: Line, { mode }: Operation, flaw: Flaw, response: WireResponse): GatewayError {
  const codec = line.adapter.codecs[mode]
  try {
    if (codec !== 'unsupported') decoded(line, codec, { ...response, body: flaw.json ?? response.body })
  } catch (error) {
    return asGatewayError(error)
  }
  return new GatewayError(flaw.kind, `answered ${flaw.seen}`)
}
