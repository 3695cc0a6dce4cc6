import { failureRow } from '../../core/failure.ts'
import type { GatewayError } from '../../core/failure.ts'
import { maxRetriesFor, mayRepeat, nextStep, plainRetries } from './attempts.ts'
import type { NextStep, RetryPolicy } from './attempts.ts'
import type { Candidate } from '../choice/directory.ts'
import type { Group } from '../choice/plan.ts'

/** What the config says of retries. */
export interface RetryRules {
  readonly numRetries: number
  readonly retryPolicy: RetryPolicy
  /** They beat `retryPolicy`. */
  readonly groupRetryPolicies: ReadonlyMap<string, RetryPolicy>
  /** The shortest wait before the same deployment is asked again, milliseconds. */
  readonly leastWaitMs: number
}

/** A deployment that has failed this request. */
export interface PastFailure {
  readonly candidate: Candidate
  readonly failure: GatewayError
  /** It was waited for, and no connection came about: asking it again would be waiting once more. */
  readonly isSilent: boolean
}

/** A request's stay in one model group. */
export interface Stay {
  readonly group: Group
  /** 0 for the group asked for, 1 for its fallbacks, and so on. */
  readonly depth: number
  /** The group's name in the config, so that budgets do not grow with the names that clients think of. */
  readonly budgetName: string
  /** By deployment index, the latest last. */
  readonly failed: Map<number, PastFailure>
  retries: number
  maxRetries: number
}

/** What a decision needs besides the stay. */
export interface StayInputs {
  readonly rules: RetryRules
  /** The request's own `num_retries`. */
  readonly askedRetries: number | undefined
  readonly isCostly: boolean
  /** A deployment that has not failed this request; undefined: there is none that can be asked. */
  readonly other: Candidate | undefined
  /** False for those that are known to be down. */
  readonly mayAskAgain: (candidate: Candidate) => boolean
  readonly leftMs: number
  readonly dice: number
}

/** What to do next, and whom to ask. */
export type Decision =
  | { readonly kind: 'leave' }
  | { readonly kind: 'ask'; readonly candidate: Candidate; readonly waitMs: number }

/** Notes a failure and decides what follows from it. Spends no budget. */
export function decide(stay: Stay, past: PastFailure, inputs: StayInputs): Decision {
  const { candidate, failure } = past
  stay.failed.delete(candidate.deployment.index)
  stay.failed.set(candidate.deployment.index, past)
  stay.maxRetries = maxRetriesOf(stay, past, inputs)
  const again = longestAgo(stay, inputs)
  const step = stepOf(stay, failure, again, inputs)
  if (step.kind === 'other' && inputs.other !== undefined)
    return { kind: 'ask', candidate: inputs.other, waitMs: 0 }
  if (step.kind === 'again' && again !== undefined)
    return { kind: 'ask', candidate: again.candidate, waitMs: step.waitMs }
  return { kind: 'leave' }
}

function stepOf(
  { retries, maxRetries }: Stay,
  failure: GatewayError,
  again: PastFailure | undefined,
  { isCostly, other, leftMs, rules, dice }: StayInputs,
): NextStep {
  if (!mayRepeat(failure, isCostly)) return { kind: 'leave' }
  return nextStep({
    failure,
    retries,
    maxRetries,
    hasOther: other !== undefined,
    again: again?.failure,
    leftMs,
    leastWaitMs: rules.leastWaitMs,
    dice,
  })
}

/** Of the deployments that asking again can help, the one whose failure is longest ago. */
function longestAgo({ failed }: Stay, { mayAskAgain }: StayInputs): PastFailure | undefined {
  for (const past of failed.values())
    if (!past.isSilent && failureRow(past.failure.kind).again === true && mayAskAgain(past.candidate))
      return past
  return undefined
}

/** The request's own number, else what is written for this kind, else the deployment's, else the router's. */
function maxRetriesOf(
  { group }: Stay,
  { candidate, failure }: PastFailure,
  { rules, askedRetries }: StayInputs,
): number {
  if (askedRetries !== undefined) return askedRetries
  const policies = [policyOf(group, rules), rules.retryPolicy]
  return maxRetriesFor(failure.kind, policies, plainRetries(candidate.deployment.traffic, rules.numRetries))
}

/** An alias may have a policy of its own. */
function policyOf({ model, name }: Group, { groupRetryPolicies }: RetryRules): RetryPolicy | undefined {
  return groupRetryPolicies.get(model) ?? groupRetryPolicies.get(name)
}
