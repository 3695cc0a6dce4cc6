import type { AnswerFacts } from '../../core/answer-facts.ts'
import type { Clock } from '../../core/clock.ts'
import type { Deployment } from '../../core/deployment.ts'
import type { GatewayError } from '../../core/failure.ts'
import type { Cooldowns, TrackedAttempt } from '../choice/cooldown.ts'
import type { Candidate } from '../choice/directory.ts'
import type { Booking, Ledger } from '../choice/ledger.ts'
import type { Need } from '../request/need.ts'
import type { Operation } from '../request/operation.ts'
import type { RequestRead } from '../request/request.ts'

/** Who keeps what attempts come to. */
export interface EvidenceDeps {
  readonly cooldowns: Cooldowns
  readonly ledger: Ledger
  /** The ledger's own. */
  readonly clock: Pick<Clock, 'elapsed'>
}

/** An attempt as those see it who keep account of deployments. */
export interface Watched {
  readonly tracked: TrackedAttempt
  readonly booking: Booking
  readonly patience: ClientPatience
}

/** The client's own deadlines for the attempt. */
type ClientPatience = Pick<RequestRead, 'timeoutMs' | 'streamTimeoutMs'>

/** Tells that a request goes to this deployment now. */
export function watch(
  { cooldowns, ledger }: EvidenceDeps,
  deployment: Deployment,
  need: Need,
  patience: ClientPatience,
): Watched {
  return { tracked: cooldowns.track(deployment), booking: ledger.begin(deployment, need), patience }
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
  watched.tracked.succeeded()
  deps.ledger.ended(watched.booking, facts)
}

/**
 * Tells what a failed attempt says of the deployment.
 * A wildcard's deployment serves many models, and the refusal of one says nothing about the others. Nor does what a
 * model says that is asked for what it is not for: a client's slip must not take it from those who use it well. Nor
 * may a client in a hurry.
 */
export function conclude(
  { ledger, clock }: EvidenceDeps,
  { tracked, booking, patience }: Watched,
  { mode }: Operation,
  { captures, deployment }: Candidate,
  failure: GatewayError,
): void {
  ledger.failed(booking, failure.kind)
  const isOther = (captures !== undefined || deployment.mode !== mode) && !failure.isUnsent
  if (isOther || isHasty(failure, patience, clock.elapsed() - booking.startedMs)) tracked.dropped()
  else tracked.failed(failure)
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
