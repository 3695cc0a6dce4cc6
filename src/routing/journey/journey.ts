import { asGatewayError, failureRow, GatewayError } from '../../core/failure.ts'
import type { AnswerHeaders } from '../answer/answer-head.ts'
import { admit } from '../choice/admission.ts'
import { mayRepeat } from './attempts.ts'
import type { Candidate } from '../choice/directory.ts'
import { conclude, finish, watch } from './evidence.ts'
import type { Attended } from './evidence.ts'
import { afterEfforts } from '../answer/explain.ts'
import { fallbacksFor, fallbacksForUnknown, detours } from './fallbacks.ts'
import type { Detour } from './fallbacks.ts'
import { heedingFilters } from './filtered.ts'
import { mockFailure } from '../request/mock-test.ts'
import { choose, noneAvailable } from '../choice/pick.ts'
import { ownPickInputs, pickInputs } from '../choice/pick-inputs.ts'
import { groupFor, planAttempt } from '../choice/plan.ts'
import type { Asked, Group, Plan } from '../choice/plan.ts'
import type { RelayAnswer } from '../answer/relay-answer.ts'
import { orFail } from '../answer/tell-failure.ts'
import { endWait, isSpent } from './connect-budget.ts'
import { connectMs } from './connect-share.ts'
import type { Stream } from '../road.ts'
import { decide, type Stay } from './stay.ts'
import { hedgingOf, sendHedged } from './hedge.ts'
import type { Entry, Ways } from './hedge.ts'
import type { Failed, Journey, JourneyDeps, OpenAttempt } from './journey-parts.ts'

/**
 * Takes a request to a deployment, and where that fails before the first byte to another one, to the same one again,
 * or to another model group. The first failure is what the client is told when all have failed.
 */
export function travel(deps: JourneyDeps, asked: Asked, answer: RelayAnswer, open: OpenAttempt): Stream {
  const { model, timeoutMs, connectionFields } = asked.read
  const isOwn = connectionFields.length > 0
  const journey: Journey = {
    deps,
    asked,
    answer,
    open,
    inputs: isOwn ? ownPickInputs(deps) : pickInputs(deps),
    attended: isOwn || asked.read.mockResponse !== undefined ? undefined : attendedOf(deps, asked),
    deadlineMs: timeoutMs === undefined ? Number.POSITIVE_INFINITY : deps.clock.elapsed() + timeoutMs,
    visited: [],
    deployments: [],
    waiting: [],
    attempts: 0,
    connects: undefined,
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

function attendedOf({ nextRequest }: JourneyDeps, { need, body, prompt }: Asked): Attended {
  return { need, promptBytes: body.length, request: nextRequest(), prompt }
}

/** Asks a group for the first time. */
function enter(journey: Journey, { fallback, depth }: Detour): void {
  const { deps, asked, inputs } = journey
  journey.visited.push(fallback.model)
  let known: Group
  try {
    known = groupFor(deps, asked, fallback.model, fallback.body)
  } catch (error) {
    lost(journey, asGatewayError(error), {})
    if (depth === 0 && deps.directory.candidates(fallback.model).length === 0)
      journey.waiting = detours(fallbacksForUnknown(deps.settings, asked.read), depth)
    goOn(journey)
    return
  }
  if (known.candidates[0] !== undefined) journey.answer.meets?.(known.candidates[0].deployment)
  const { group, first } = admit(known, asked.need, inputs, deps.maxInputTokens)
  const budgetName = known.candidates[0]?.deployment.group ?? known.model
  deps.budgets.request(budgetName)
  const { numRetries = deps.settings.numRetries, mockTest } = asked.read
  const stay: Stay = { group, depth, budgetName, failed: new Map(), retries: 0, maxRetries: numRetries }
  if (first instanceof GatewayError) leave(journey, stay, first, {})
  else if (depth > 0 || mockTest === undefined) attempt(journey, stay, first)
  else {
    const failure = mockFailure(mockTest, group.model)
    if (failure.kind !== 'rate_limited') leave(journey, stay, failure, {})
    else
      afterFailure(journey, stay, { candidate: first, failure, route: {}, isPanic: false, isSilent: false })
  }
}

function attempt(journey: Journey, stay: Stay, candidate: Candidate): void {
  const { deps } = journey
  let plan: Plan
  try {
    plan = planFor(journey, stay, candidate)
  } catch (error) {
    leave(journey, stay, asGatewayError(error), {})
    return
  }
  const number = journey.attempts + 1
  const hedging = deps.hedges === undefined ? undefined : hedgingOf(deps.hedges, journey, stay)
  const stream =
    hedging === undefined
      ? send(journey, stay, candidate, plan)
      : sendHedged(journey, stay, hedging, { candidate, plan }, WAYS)
  // It may have failed at once, and another one have taken its place.
  if (journey.attempts === number) journey.running = stream
}

const WAYS: Ways = { plan: planFor, send, failed: afterFailure }

function planFor(journey: Journey, stay: Stay, candidate: Candidate): Plan {
  const { deps, asked, visited } = journey
  const past = { retries: stay.retries, maxRetries: stay.maxRetries, fallbacks: visited.length - 1 }
  return heedingFilters(planAttempt(deps, inTime(journey, asked), stay.group, candidate, past), journey, stay)
}

/** `entry`: it runs a race, and the answer is not its own. */
function send(journey: Journey, stay: Stay, candidate: Candidate, plan: Plan, entry?: Entry): Stream {
  const { deps, asked, attended } = journey
  const answer = entry?.lane ?? journey.answer
  const waiter = entry?.waiter ?? journey
  const isWatched = attended !== undefined && plan.made === undefined
  const watched = isWatched ? watch(deps, candidate.deployment, attended, plan.read) : undefined
  const { traffic } = deps.health.engine
  journey.attempts += 1
  journey.deployments.push(candidate.deployment.index)
  journey.answer.meets?.(candidate.deployment)
  let hasBegun = false
  const next: RelayAnswer = {
    head: (status, headers, copies) => {
      hasBegun = true
      if (watched !== undefined) traffic.answered(watched.call)
      answer.head(status, headers, copies)
    },
    data: (chunk) => {
      if (watched !== undefined) traffic.chunk(watched.call)
      return answer.data(chunk)
    },
    end: (facts) => {
      if (watched !== undefined) finish(deps, watched, asked.operation, candidate, facts)
      answer.end(facts)
    },
    fail: (failure, route) => {
      if (watched !== undefined) conclude(deps, watched, asked.operation, candidate, failure)
      const isPanic = watched?.call.isPanic === true
      const isSilent = endWait(waiter.connects, deps.clock.elapsed(), failure.isUnsent)
      if (hasBegun) answer.fail(failure, route)
      else if (entry === undefined)
        afterFailure(journey, stay, { candidate, failure, route, isPanic, isSilent })
      else entry.lane.lost({ candidate, failure, route, isPanic, isSilent })
    },
  }
  return journey.open(plan, next, () => connectMs(waiter, stay, candidate))
}

/** Retries have what is left of the client's own time. */
function inTime(journey: Journey, asked: Asked): Asked {
  if (asked.read.timeoutMs === undefined || journey.attempts === 0) return asked
  return { ...asked, read: { ...asked.read, timeoutMs: Math.max(leftMs(journey), 1) } }
}

function leftMs({ deps, deadlineMs }: Journey): number {
  return deadlineMs - deps.clock.elapsed()
}

function afterFailure(journey: Journey, stay: Stay, failed: Failed): void {
  const { deps, asked, inputs } = journey
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
  const { index } = failed.candidate.deployment
  const other = choose(candidates, inputs, asked.need, (each) => each === index || stay.failed.has(each))
  if (other === undefined && hasFoundNobody(journey, failed)) {
    leaveUnserved(journey, stay, route)
    return
  }
  const decision = decide(stay, failed, {
    rules: deps.settings,
    askedRetries: asked.read.numRetries,
    isCostly: asked.operation.isCostly === true,
    other,
    mayAskAgain: (each) => mayAskAgain(journey, each),
    leftMs: failed.isSilent && isSpent(journey.connects) ? 0 : leftMs(journey),
    dice: deps.random(),
  })
  if (decision.kind === 'leave' || !deps.budgets.spend(stay.budgetName)) {
    if (hasFoundNobody(journey, failed)) leaveUnserved(journey, stay, route)
    else leave(journey, stay, failure, route)
    return
  }
  lost(journey, failure, route)
  stay.retries += 1
  deps.detour?.('retry')
  deps.log.info('attempt_failed', {
    model_id: failed.candidate.deployment.id,
    model_group: model,
    reason: failure.kind,
    retry: stay.retries,
    wait_ms: decision.waitMs,
    error: failure.message,
  })
  if (decision.waitMs === 0) attempt(journey, stay, decision.candidate)
  else waitFor(journey, decision.waitMs, () => attemptAgain(journey, stay, decision.candidate))
}

/** It asked the last resort, which is as far away as before. A request that is at fault itself has found out nothing. */
function hasFoundNobody(journey: Journey, { isPanic, failure, candidate }: Failed): boolean {
  return isPanic && failureRow(failure.kind).tryNext && !mayAskAgain(journey, candidate)
}

/** Nobody is back: whoever has found that out is told what the others are told meanwhile. */
function leaveUnserved(journey: Journey, stay: Stay, route: AnswerHeaders): void {
  const { model, candidates } = stay.group
  const none = noneAvailable(model, candidates, journey.inputs, journey.asked.need)
  if (stay.depth === 0) journey.first = { failure: none, route }
  leave(journey, stay, none, route)
}

/** Waiting does not help against a verdict: it ends by looks, not by clients. */
function mayAskAgain({ deps, inputs }: Journey, { deployment: { index } }: Candidate): boolean {
  if (inputs.choices === undefined) return true
  const { state } = deps.health.engine.standings.standing(index, deps.clock.elapsed())
  return state !== 'DOWN' && state !== 'MISCONFIGURED' && state !== 'ISOLATED'
}

/** After a wait another one may be free, or others may have come first and taken this one to its limits. */
function attemptAgain(journey: Journey, stay: Stay, candidate: Candidate): void {
  const { asked, inputs } = journey
  const { model, candidates } = stay.group
  const { index } = candidate.deployment
  const fresh = choose(candidates, inputs, asked.need, (each) => stay.failed.has(each))
  const isFull = (inputs.limitMs?.(candidate.deployment, asked.need) ?? 0) > 0
  const isOut = inputs.choices?.weight(index, inputs.now()) === 0
  if (fresh !== undefined || !(isFull || isOut)) attempt(journey, stay, fresh ?? candidate)
  else leave(journey, stay, noneAvailable(model, candidates, inputs, asked.need), {})
}

function waitFor(journey: Journey, waitMs: number, run: () => void): void {
  journey.stopWaiting = journey.deps.clock.after(waitMs, () => {
    journey.stopWaiting = undefined
    orFail(journey.answer, run, journey.first?.route)
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
    const next = fallbacksFor([group.model, group.name], failure, deps.settings, asked.read)
    journey.waiting = [...detours(next, depth), ...journey.waiting]
  }
  goOn(journey)
}

/** To the next group that waits and is one, or to the end. */
function goOn(journey: Journey): void {
  const { deps, visited, answer, attempts: tries, deployments, first } = journey
  const [next, ...rest] = journey.waiting.filter(
    ({ fallback: { model } }) => !visited.includes(model) && deps.directory.candidates(model).length > 0,
  )
  journey.waiting = rest
  if (next !== undefined && leftMs(journey) > 0) {
    deps.detour?.('fallback')
    const { kind, message } = first?.failure ?? {}
    deps.log.info('fallback_asked', { model_group: next.fallback.model, reason: kind, error: message })
    enter(journey, next)
    return
  }
  if (first === undefined) return
  const efforts = { tries, deployments: new Set(deployments).size, groups: visited }
  answer.fail(afterEfforts(first.failure, efforts), first.route, efforts)
}
