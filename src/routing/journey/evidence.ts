import type { AnswerFacts } from '../../core/answer-facts.ts'
import type { Deployment } from '../../core/deployment.ts'
import type { GatewayError } from '../../core/failure.ts'
import type { Cooldowns, TrackedAttempt } from '../choice/cooldown.ts'
import type { Candidate } from '../choice/directory.ts'
import type { Booking, Ledger } from '../choice/ledger.ts'
import type { Need } from '../request/need.ts'
import type { Operation } from '../request/operation.ts'

/** Who keeps what attempts come to. */
export interface EvidenceDeps {
  readonly cooldowns: Cooldowns
  readonly ledger: Ledger
}

/** An attempt as those see it who keep account of deployments. */
export interface Watched {
  readonly tracked: TrackedAttempt
  readonly booking: Booking
}

/** Tells that a request goes to this deployment now. */
export function watch({ cooldowns, ledger }: EvidenceDeps, deployment: Deployment, need: Need): Watched {
  return { tracked: cooldowns.track(deployment), booking: ledger.begin(deployment, need) }
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
 * model says that is asked for what it is not for: a client's slip must not take it from those who use it well.
 */
export function conclude(
  { ledger }: EvidenceDeps,
  { tracked, booking }: Watched,
  { mode }: Operation,
  { captures, deployment }: Candidate,
  failure: GatewayError,
): void {
  ledger.failed(booking, failure.kind)
  if ((captures !== undefined || deployment.mode !== mode) && !failure.isUnsent) tracked.dropped()
  else tracked.failed(failure)
}
