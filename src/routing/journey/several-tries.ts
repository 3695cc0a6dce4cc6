import type { Clock } from '../../core/clock.ts'
import { asGatewayError, failureRow, GatewayError } from '../../core/failure.ts'
import type { Log } from '../../core/log.ts'
import type { Line } from '../../providers/call.ts'
import { routeHeaders } from '../answer/answer-head.ts'
import type { AnswerHeaders, Detours } from '../answer/answer-head.ts'
import { maxRetriesFor, mayRepeat, nextStep, plainRetries } from './attempts.ts'
import type { Candidate } from '../choice/directory.ts'
import { tell } from './evidence.ts'
import { explain } from '../answer/explain.ts'
import type { Ledger } from '../choice/ledger.ts'
import { NOTHING } from '../request/need.ts'
import { choose, noneAvailable, countChoices } from '../choice/pick.ts'
import type { PickInputs } from '../choice/pick.ts'
import { pickInputs } from '../choice/pick-inputs.ts'
import type { PickDeps } from '../choice/pick-inputs.ts'
import type { RelayAnswer } from '../answer/relay-answer.ts'
import { beginWait, createConnectBudget, endWait, isSpent } from './connect-budget.ts'
import type { RetryBudgets } from './retry-budget.ts'
import type { RetryRules } from './stay.ts'

/** What calls outside the hot path run on. */
export interface TryDeps extends Omit<PickDeps, 'strategy'> {
  readonly ledger: Pick<Ledger, 'begin' | 'failed' | 'left'>
  readonly budgets: RetryBudgets
  readonly clock: Clock
  /** Told of failures that no client sees. */
  readonly log: Log
  /** Told of each retry as it begins; absent: nobody counts. */
  readonly detour?: (kind: 'retry') => void
  readonly settings: RetryRules & {
    /** How long all tries together may wait for connections, milliseconds. */
    readonly connectTimeoutMs: number
    /** Where a deployment names no timeout of its own, milliseconds. */
    readonly requestTimeoutMs: number
  }
}

/** Whom to ask, and how. */
export interface Errand {
  /** The name asked for; undefined: the deployment's own group is told. */
  readonly model: string | undefined
  readonly candidates: readonly Candidate[]
  /** Always the first of the best, so that one list is read page by page; else by chance. */
  readonly isSteady: boolean
  /** Only what was surely not done is tried again. */
  readonly isCostly: boolean
  /**
   * It counts towards the deployment's limits and load. What only reads does not: to ask how a batch is doing takes
   * nothing from those who use the model.
   */
  readonly isWork: boolean
  /** Told whom it comes to. */
  readonly answer: Pick<RelayAnswer, 'meets'>
  /** False once something was taken from the client that it cannot be asked for again. */
  readonly canRepeat?: () => boolean
  /** The client is gone, or the process ends. */
  readonly signal: AbortSignal
}

/** One try. */
export interface Try {
  readonly candidate: Candidate
  readonly line: Line
  readonly route: AnswerHeaders
  readonly detours: Detours
  /** As in Limits. */
  readonly connectTimeoutMs: () => number
}

/** What became of it in the end. */
export type Outcome<T> =
  | { readonly value: T }
  | { readonly failure: GatewayError; readonly route: AnswerHeaders }

/**
 * Asks one of the candidates, and after a failure another one or the same one later, by the rules that all requests
 * are retried by. The first failure is the one that is told.
 */
export async function severalTries<T>(
  deps: TryDeps,
  errand: Errand,
  run: (attempt: Try) => Promise<T>,
): Promise<Outcome<T>> {
  const { candidates, signal } = errand
  const inputs = inputsFor(deps, errand)
  const tried = new Set<number>()
  const isTried = (index: number): boolean => tried.has(index)
  const budgetName = candidates[0]?.deployment.group ?? ''
  deps.budgets.request(budgetName)
  if (candidates[0] !== undefined) errand.answer.meets?.(candidates[0].deployment)
  let first: { readonly failure: GatewayError; readonly route: AnswerHeaders } | undefined
  const connects = createConnectBudget(deps.settings.connectTimeoutMs)
  let chosen = choose(candidates, inputs, NOTHING)
  let maxRetries = deps.settings.numRetries
  for (let retries = 0; chosen !== undefined; retries += 1) {
    tried.add(chosen.deployment.index)
    const left = maxRetries - retries
    const connectTimeoutMs = (): number => {
      const others = countChoices(candidates, inputs, NOTHING, isTried, left)
      return beginWait(connects, deps.clock.elapsed(), others, Number.POSITIVE_INFINITY)
    }
    const detours = { retries, maxRetries, fallbacks: 0 }
    const outcome = await once(deps, errand, chosen, { detours, connectTimeoutMs }, run)
    if (!('failure' in outcome)) return outcome
    first ??= outcome
    const { failure } = outcome
    maxRetries = retriesAfter(deps.settings, errand, chosen, failure)
    const isSilent = endWait(connects, deps.clock.elapsed(), failure.isUnsent)
    const other = choose(candidates, inputs, NOTHING, isTried)
    const step =
      mayRepeat(failure, errand.isCostly) && errand.canRepeat?.() !== false
        ? nextStep({
            failure,
            retries,
            maxRetries,
            hasOther: other !== undefined,
            again: !isSilent && failureRow(failure.kind).again === true ? failure : undefined,
            leftMs: isSilent && isSpent(connects) ? 0 : Number.POSITIVE_INFINITY,
            leastWaitMs: deps.settings.leastWaitMs,
            dice: deps.random(),
          })
        : ({ kind: 'leave' } as const)
    if (step.kind === 'leave' || signal.aborted || !deps.budgets.spend(budgetName)) return first
    deps.detour?.('retry')
    logFailed(deps, chosen, retries + 1, failure)
    if (step.kind === 'other') chosen = other
    else await pause(deps.clock, step.waitMs, signal)
  }
  const name = errand.model ?? candidates[0]?.deployment.group ?? ''
  return first ?? { failure: noneAvailable(name, candidates, inputs, NOTHING), route: {} }
}

async function once<T>(
  deps: TryDeps,
  { model, isWork, answer }: Errand,
  candidate: Candidate,
  means: Pick<Try, 'detours' | 'connectTimeoutMs'>,
  run: (attempt: Try) => Promise<T>,
): Promise<Outcome<T>> {
  const { deployment } = candidate
  const opened = deps.lines(deployment.index)
  if ('misconfigured' in opened) {
    const failure = new GatewayError('none_available', opened.misconfigured.message, { source: 'gateway' })
    return { failure, route: {} }
  }
  const { line } = opened
  const route = routeHeaders(model ?? deployment.group, deployment, line.target.base, [])
  const { traffic, standings } = deps.health.engine
  const call = traffic.begin(deployment.index, {
    ...NO_PROMPT,
    timeoutMs: deployment.timeouts.timeoutMs ?? deps.settings.requestTimeoutMs,
  })
  const booking = isWork ? deps.ledger.begin(deployment, NOTHING) : undefined
  answer.meets?.(deployment)
  try {
    const value = await run({ candidate, line, route, ...means })
    // What it keeps is not what it is asked for all day: such an answer helps only one that has been down.
    const { state } = standings.standing(deployment.index, deps.clock.elapsed())
    if (state === 'DOWN' || state === 'RECOVERING') traffic.succeeded(call)
    else traffic.dropped(call)
    if (booking !== undefined) deps.ledger.left(booking)
    return { value }
  } catch (error) {
    const failure = asGatewayError(error)
    const told = explained(line, failure)
    if (booking !== undefined) deps.ledger.failed(booking, failure.kind)
    // What a provider says of one thing that it keeps says nothing about its models, good or bad.
    tell(deps, deployment, call, failure.isUnsent ? told : undefined)
    return { failure: told, route }
  }
}

/** That a thing is not there is no fault of the config: the provider's words are enough. */
function explained(line: Line, failure: GatewayError): GatewayError {
  if (failure.upstreamStatus !== 404) return explain(line, failure)
  const { message, param } = explain(line, new GatewayError('bad_request', failure.message))
  return new GatewayError('not_found', message, {
    cause: failure,
    upstreamStatus: 404,
    ...(param !== undefined && { param }),
  })
}

/** A call about an object has no prompt that could be at fault. */
const NO_PROMPT = { promptBytes: 0, isStreamed: false, request: 0, prompt: 0, isTenantsOwn: false } as const
/** What is written for this kind of failure, else the deployment's number, else the router's. */
function retriesAfter(
  { numRetries, retryPolicy, groupRetryPolicies }: RetryRules,
  { model = '' }: Errand,
  { deployment: { group, traffic } }: Candidate,
  { kind }: GatewayError,
): number {
  const own = groupRetryPolicies.get(model) ?? groupRetryPolicies.get(group)
  return maxRetriesFor(kind, [own, retryPolicy], plainRetries(traffic, numRetries))
}

function inputsFor({ limitMs, ...deps }: TryDeps, { isSteady, isWork }: Errand): PickInputs {
  const { lines, health, outOfReach, clock, random } = deps
  return pickInputs({
    lines,
    health,
    outOfReach,
    clock,
    ...(isWork && limitMs !== undefined && { limitMs }),
    random: isSteady ? NEVER_ANOTHER : random,
  })
}

/** Above every share: of equals the first stays chosen. */
const NEVER_ANOTHER = (): number => 1

function logFailed(
  { log }: TryDeps,
  { deployment }: Candidate,
  retry: number,
  { kind, message }: GatewayError,
): void {
  const fields = { model_id: deployment.id, model_group: deployment.group, reason: kind, retry }
  log.info('attempt_failed', { ...fields, error: message })
}

function pause(clock: Clock, waitMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      stop()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const stop = clock.after(waitMs, end)
    signal.addEventListener('abort', end, { once: true })
  })
}
