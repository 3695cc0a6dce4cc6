import type { AnswerFacts } from '../../core/answer-facts.ts'
import type { Clock } from '../../core/clock.ts'
import type { Deployment } from '../../core/deployment.ts'
import type { GatewayError } from '../../core/failure.ts'
import type { HealthChecks } from '../../health/checks.ts'
import type { Candidate } from '../choice/directory.ts'
import type { Booking, Ledger } from '../choice/ledger.ts'
import type { Need } from '../request/need.ts'
import type { Operation } from '../request/operation.ts'
import type { RequestRead } from '../request/request.ts'
import type { OutOfReach } from '../choice/out-of-reach.ts'

/** What routing asks of the health engine, and tells it. */
export type HealthLink = Pick<HealthChecks, 'engine' | 'failed'>

/** Who keeps what attempts come to. */
export interface EvidenceDeps {
  readonly health: HealthLink
  readonly outOfReach: OutOfReach
  readonly ledger: Ledger
  /** The ledger's own. */
  readonly clock: Pick<Clock, 'elapsed'>
  readonly settings: {
    /** Where a deployment names no timeout of its own, milliseconds. */
    readonly requestTimeoutMs: number
  }
}

/** A request as those see it who keep account of deployments. */
export interface Attended {
  readonly need: Need
  readonly promptBytes: number
  /** One number for all attempts of one request. */
  readonly request: number
  /** A hash of who asks and what. */
  readonly prompt: number
}

type Call = ReturnType<HealthLink['engine']['traffic']['begin']>

/** An attempt as they see it. */
export interface Watched {
  readonly call: Call
  readonly booking: Booking
  readonly patience: ClientPatience
}

/** The client's own deadlines for the attempt. */
type ClientPatience = Pick<RequestRead, 'timeoutMs' | 'streamTimeoutMs'>

/** Tells that a request goes to this deployment now. */
export function watch(
  { health, ledger, settings }: EvidenceDeps,
  deployment: Deployment,
  { need, promptBytes, request, prompt }: Attended,
  patience: ClientPatience,
): Watched {
  const timeoutMs = deployment.timeouts.timeoutMs ?? settings.requestTimeoutMs
  const facts = { promptBytes, isStreamed: need.isStream, timeoutMs, request, prompt, isTenantsOwn: false }
  return {
    call: health.engine.traffic.begin(deployment.index, facts),
    booking: ledger.begin(deployment, need),
    patience,
  }
}

/** Tells what an answer that came to its end says of the deployment; an error within a stream is a failure. */
export function finish(
  deps: EvidenceDeps,
  watched: Watched,
  operation: Operation,
  candidate: Candidate,
  facts: AnswerFacts,
): void {
  if (facts.flaw !== undefined) {
    conclude(deps, watched, operation, candidate, facts.flaw)
    return
  }
  deps.health.engine.traffic.succeeded(watched.call)
  deps.ledger.ended(watched.booking, facts)
}

/**
 * Tells what a failed attempt says of the deployment.
 * A wildcard's deployment serves many models, and the refusal of one says nothing about the others. Nor does what a
 * model says that is asked for what it is not for: a client's slip must not take it from those who use it well. Nor
 * may a client in a hurry.
 */
export function conclude(
  deps: EvidenceDeps,
  { call, booking, patience }: Watched,
  { mode }: Operation,
  { captures, deployment }: Candidate,
  failure: GatewayError,
): void {
  deps.ledger.failed(booking, failure.kind)
  const isMisfit = (captures !== undefined || deployment.mode !== mode) && !failure.isUnsent
  const isTold = !isMisfit && !isHasty(failure, patience, deps.clock.elapsed() - booking.startedMs)
  tell(deps, deployment, call, isTold ? failure : undefined)
}

/** Timers may run this much before their time, milliseconds. */
const EARLY_MS = 1

/** Did our patience end where the client's did? */
function isHasty(
  failure: GatewayError,
  { timeoutMs, streamTimeoutMs }: ClientPatience,
  tookMs: number,
): boolean {
  const clientMs = Math.min(
    timeoutMs ?? Number.POSITIVE_INFINITY,
    streamTimeoutMs ?? Number.POSITIVE_INFINITY,
  )
  return failure.kind === 'timeout' && failure.upstreamStatus === undefined && tookMs + EARLY_MS >= clientMs
}

/** Ends a call that failed; undefined: in a way that says nothing of the deployment. */
export function tell(
  { health: { engine, failed }, outOfReach }: Pick<EvidenceDeps, 'health' | 'outOfReach'>,
  deployment: Deployment,
  call: Call,
  failure: GatewayError | undefined,
): void {
  const { traffic } = engine
  if (failure === undefined || failure.kind === 'cancelled' || failure.source === 'client') {
    traffic.dropped(call)
    return
  }
  if (failure.isUnsent) outOfReach.missed(deployment)
  failed(call.index, failure.message)
  traffic.failed(call, failure)
}
