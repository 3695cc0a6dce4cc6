import type { Cancel, Clock } from '../core/clock.ts'
import type { Fallback } from '../core/fallback.ts'
import { asGatewayError, GatewayError } from '../core/failure.ts'
import type { Log } from '../core/log.ts'
import type { AnswerHeaders } from './answer-head.ts'
import { mayRepeat } from './attempts.ts'
import type { TrackedAttempt } from './cooldown.ts'
import type { Candidate } from './directory.ts'
import { afterEfforts } from './explain.ts'
import { fallbacksFor } from './fallbacks.ts'
import type { FallbackRules } from './fallbacks.ts'
import type { RelayAnswer } from './passage.ts'
import { choose, noneAvailable } from './pick.ts'
import { groupFor, pickInputs, planAttempt } from './plan.ts'
import type { Asked, Group, Plan, PlanDeps } from './plan.ts'
import type { RetryBudgets } from './retry-budget.ts'
import type { Stream } from './road.ts'
import { decide } from './stay.ts'
import type { PastFailure, RetryRules, Stay } from './stay.ts'

/** What journeys are made of. */
export interface JourneyDeps extends PlanDeps {
  readonly clock: Clock
  readonly budgets: RetryBudgets
  /** Told of failures that no client sees. */
  readonly log: Log
  readonly settings: FallbackRules & RetryRules
}

/** Sends one attempt out; its answer, or its failure before the first byte, comes to `answer`. */
export type OpenAttempt = (plan: Plan, answer: RelayAnswer) => Stream

/** One request from its arrival to its answer. */
interface Journey {
  readonly deps: JourneyDeps
  readonly asked: Asked
  readonly answer: RelayAnswer
  readonly open: OpenAttempt
  /** By `Clock.elapsed`; the client's own deadline, or never. */
  readonly deadlineMs: number
  /** Names of the groups asked, in order. */
  readonly visited: Set<string>
  /** Ids of the deployments asked. */
  readonly deployments: Set<number>
  waiting: readonly Detour[]
  attempts: number
  /** What the client is told in the end, and who it was. */
  first: { readonly failure: GatewayError; readonly route: AnswerHeaders } | undefined
  running: Stream | undefined
  stopWaiting: Cancel | undefined
}

/** A fallback, and how deep it lies. */
interface Detour {
  readonly fallback: Fallback
  readonly depth: number
}

/**
 * Takes a request to a deployment, and where that fails before the first byte to another one, to the same one again,
 * or to another model group. The first failure is what the client is told when all have failed.
 */
export function travel(deps: JourneyDeps, asked: Asked, answer: RelayAnswer, open: OpenAttempt): Stream {
  const { model, timeoutMs } = asked.read
  const journey: Journey = {
    deps,
    asked,
    answer,
    open,
    deadlineMs: timeoutMs === undefined ? Number.POSITIVE_INFINITY : deps.clock.elapsed() + timeoutMs,
    visited: new Set(),
    deployments: new Set(),
    waiting: [],
    attempts: 0,
    first: undefined,
    running: undefined,
    stopWaiting: undefined,
  }
  enter(journey, { fallback: { model, body: {} }, depth: 0 })
  return {
    resume: () => journey.running?.resume(),
    cancel: () => {
      if (journey.stopWaiting === undefined) {
        journey.running?.cancel()
        return
      }
      journey.stopWaiting()
      journey.stopWaiting = undefined
      const gone = new GatewayError('cancelled', 'the caller went away', { source: 'client' })
      answer.fail(gone, journey.first?.route ?? {})
    },
  }
}

/** Asks a group for the first time. */
function enter(journey: Journey, { fallback, depth }: Detour): void {
  const { deps, asked } = journey
  journey.visited.add(fallback.model)
  let group: Group
  try {
    group = groupFor(deps, asked, fallback.model, fallback.body)
  } catch (error) {
    lost(journey, asGatewayError(error), {})
    goOn(journey)
    return
  }
  const budgetName = group.candidates[0]?.deployment.group ?? group.model
  deps.budgets.request(budgetName)
  const { numRetries = deps.settings.numRetries } = asked.read
  const stay: Stay = { group, depth, budgetName, failed: new Map(), retries: 0, maxRetries: numRetries }
  const inputs = pickInputs(deps)
  const chosen = choose(group.candidates, inputs)
  if (chosen === undefined) leave(journey, stay, noneAvailable(group.model, group.candidates, inputs), {})
  else attempt(journey, stay, chosen)
}

function attempt(journey: Journey, stay: Stay, candidate: Candidate): void {
  const { deps, asked, answer } = journey
  const { retries, maxRetries, group } = stay
  let plan: Plan
  try {
    const detours = { retries, maxRetries, fallbacks: journey.visited.size - 1 }
    plan = planAttempt(deps, inTime(journey, asked), group, candidate, detours)
  } catch (error) {
    leave(journey, stay, asGatewayError(error), {})
    return
  }
  // What happens on a client's own connection says nothing about ours.
  const tracked =
    asked.read.connectionFields.length > 0 ? undefined : deps.cooldowns.track(candidate.deployment)
  journey.attempts += 1
  journey.deployments.add(candidate.deployment.index)
  const number = journey.attempts
  let hasBegun = false
  const stream = journey.open(plan, {
    head: (status, headers) => {
      hasBegun = true
      tracked?.answered()
      answer.head(status, headers)
    },
    data: (chunk) => answer.data(chunk),
    end: (facts) => {
      tracked?.succeeded()
      answer.end(facts)
    },
    fail: (failure, route) => {
      conclude(tracked, asked.operation, candidate, failure)
      if (hasBegun) answer.fail(failure, route)
      else afterFailure(journey, stay, { candidate, failure, route, isTrial: tracked?.isTrial === true })
    },
  })
  // It may have failed at once, and another one have taken its place.
  if (journey.attempts === number) journey.running = stream
}

/**
 * A wildcard's deployment serves many models, and the refusal of one says nothing about the others. Nor does what a
 * model says that is asked for what it is not for: a client's slip must not take it from those who use it well.
 */
function conclude(
  tracked: TrackedAttempt | undefined,
  { mode }: Asked['operation'],
  { captures, deployment }: Candidate,
  failure: GatewayError,
): void {
  if ((captures !== undefined || deployment.mode !== mode) && !failure.isUnsent) tracked?.dropped()
  else tracked?.failed(failure)
}

/** Retries have what is left of the client's own time. */
function inTime(journey: Journey, asked: Asked): Asked {
  if (asked.read.timeoutMs === undefined || journey.attempts === 0) return asked
  return { ...asked, read: { ...asked.read, timeoutMs: Math.max(leftMs(journey), 1) } }
}

function leftMs({ deps, deadlineMs }: Journey): number {
  return deadlineMs - deps.clock.elapsed()
}

interface Failed extends PastFailure {
  readonly route: AnswerHeaders
  /** It was the request that found out whether the deployment is back. */
  readonly isTrial: boolean
}

function afterFailure(journey: Journey, stay: Stay, failed: Failed): void {
  const { deps, asked } = journey
  const { failure, route } = failed
  const { candidates, model } = stay.group
  if (failure.kind === 'cancelled') {
    journey.answer.fail(failure, route)
    return
  }
  // What was taken from the client beyond what is held cannot be sent to anybody else.
  if (asked.form?.form.rest?.isTaken() === true) {
    lost(journey, failure, route)
    journey.waiting = []
    goOn(journey)
    return
  }
  const inputs = pickInputs(deps)
  const { index } = failed.candidate.deployment
  const other = choose(candidates, inputs, (each) => each === index || stay.failed.has(each))
  // It is still gone: whoever tried gets the quick answer that the others get meanwhile.
  if (failed.isTrial && failure.isUnsent && other === undefined) {
    const none = noneAvailable(model, candidates, inputs)
    if (stay.depth === 0 && [...stay.failed.values()].every((past) => past.failure.isUnsent))
      journey.first = { failure: none, route }
    leave(journey, stay, none, route)
    return
  }
  const decision = decide(stay, failed, {
    rules: deps.settings,
    askedRetries: asked.read.numRetries,
    isCostly: asked.operation.isCostly === true,
    other,
    leftMs: leftMs(journey),
    dice: deps.random(),
  })
  if (decision.kind === 'leave' || !deps.budgets.spend(stay.budgetName)) {
    leave(journey, stay, failure, route)
    return
  }
  lost(journey, failure, route)
  stay.retries += 1
  deps.log.info('attempt_failed', {
    model_id: failed.candidate.deployment.id,
    model_group: model,
    reason: failure.kind,
    retry: stay.retries,
    wait_ms: decision.waitMs,
    error: failure.message,
  })
  if (decision.waitMs === 0) attempt(journey, stay, decision.candidate)
  else waitFor(journey, decision.waitMs, () => attempt(journey, stay, decision.candidate))
}

function waitFor(journey: Journey, waitMs: number, run: () => void): void {
  journey.stopWaiting = journey.deps.clock.after(waitMs, () => {
    journey.stopWaiting = undefined
    run()
  })
}

/** Remembers the first failure: it is the one that the others followed from. */
function lost(journey: Journey, failure: GatewayError, route: AnswerHeaders): void {
  journey.first ??= { failure, route }
}

/** This group has failed: its fallbacks come before those that wait already. */
function leave(journey: Journey, { group, depth }: Stay, failure: GatewayError, route: AnswerHeaders): void {
  const { deps, asked } = journey
  lost(journey, failure, route)
  const isTooDeep = depth >= deps.settings.maxFallbacks
  if (!isTooDeep && mayRepeat(failure, asked.operation.isCostly === true)) {
    const next = fallbacksFor(group.model, failure, deps.settings, asked.read)
    journey.waiting = [...next.map((fallback) => ({ fallback, depth: depth + 1 })), ...journey.waiting]
  }
  goOn(journey)
}

/** To the next group that waits and is one, or to the end. */
function goOn(journey: Journey): void {
  const { deps, visited, answer, attempts: tries, deployments, first } = journey
  const [next, ...rest] = journey.waiting.filter(
    ({ fallback: { model } }) => !visited.has(model) && deps.directory.candidates(model).length > 0,
  )
  journey.waiting = rest
  if (next !== undefined && leftMs(journey) > 0) {
    const fields = {
      model_group: next.fallback.model,
      reason: first?.failure.kind,
      error: first?.failure.message,
    }
    deps.log.info('fallback_asked', fields)
    enter(journey, next)
    return
  }
  if (first === undefined) return
  const efforts = { tries, deployments: deployments.size, groups: [...visited] }
  answer.fail(afterEfforts(first.failure, efforts), first.route)
}
