import type { Clock } from '../../core/clock.ts'
import { asGatewayError, failureRow, GatewayError } from '../../core/failure.ts'
import type { Log } from '../../core/log.ts'
import type { Line } from '../../providers/call.ts'
import { routeHeaders } from '../answer/answer-head.ts'
import type { AnswerHeaders, Detours } from '../answer/answer-head.ts'
import { mayRepeat, nextStep } from './attempts.ts'
import type { Candidate } from '../choice/directory.ts'
import { tell } from './evidence.ts'
import { explain } from '../answer/explain.ts'
import { NOTHING } from '../request/need.ts'
import { choose, noneAvailable } from '../choice/pick.ts'
import { pickInputs } from '../choice/pick-inputs.ts'
import type { PickDeps } from '../choice/pick-inputs.ts'
import type { RetryBudgets } from './retry-budget.ts'

/** What calls outside the hot path run on. */
export interface TryDeps extends Omit<PickDeps, 'limitMs' | 'strategy'> {
  readonly budgets: RetryBudgets
  readonly clock: Clock
  /** Told of failures that no client sees. */
  readonly log: Log
  readonly settings: {
    readonly numRetries: number
    readonly leastWaitMs: number
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
  const { lines, health, clock, random } = deps
  const inputs = pickInputs({ lines, health, clock, random: errand.isSteady ? NEVER_ANOTHER : random })
  const tried = new Set<number>()
  const budgetName = candidates[0]?.deployment.group ?? ''
  deps.budgets.request(budgetName)
  let first: { readonly failure: GatewayError; readonly route: AnswerHeaders } | undefined
  let chosen = choose(candidates, inputs, NOTHING)
  for (let retries = 0; chosen !== undefined; retries += 1) {
    const maxRetries = chosen.deployment.traffic?.numRetries ?? deps.settings.numRetries
    const outcome = await once(deps, errand, chosen, { retries, maxRetries, fallbacks: 0 }, run)
    if (!('failure' in outcome)) return outcome
    first ??= outcome
    tried.add(chosen.deployment.index)
    const { failure } = outcome
    const other = choose(candidates, inputs, NOTHING, (index) => tried.has(index))
    const step =
      mayRepeat(failure, errand.isCostly) && errand.canRepeat?.() !== false
        ? nextStep({
            failure,
            retries,
            maxRetries,
            hasOther: other !== undefined,
            again: failureRow(failure.kind).again === true ? failure : undefined,
            leftMs: Number.POSITIVE_INFINITY,
            leastWaitMs: deps.settings.leastWaitMs,
            dice: deps.random(),
          })
        : ({ kind: 'leave' } as const)
    if (step.kind === 'leave' || signal.aborted || !deps.budgets.spend(budgetName)) return first
    logFailed(deps, chosen, retries + 1, failure)
    if (step.kind === 'other') chosen = other
    else await pause(deps.clock, step.waitMs, signal)
  }
  const name = errand.model ?? candidates[0]?.deployment.group ?? ''
  return first ?? { failure: noneAvailable(name, candidates, inputs, NOTHING), route: {} }
}

async function once<T>(
  deps: TryDeps,
  { model }: Errand,
  candidate: Candidate,
  detours: Detours,
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
  const { traffic } = deps.health.engine
  const call = traffic.begin(deployment.index, {
    ...NO_PROMPT,
    timeoutMs: deployment.timeouts.timeoutMs ?? deps.settings.requestTimeoutMs,
  })
  try {
    const value = await run({ candidate, line, route, detours })
    // What it keeps is not what it is asked for all day: such an answer helps only one that has been down.
    const { state } = deps.health.engine.standings.standing(deployment.index, deps.clock.elapsed())
    if (state === 'DOWN' || state === 'RECOVERING') traffic.succeeded(call)
    else traffic.dropped(call)
    return { value }
  } catch (error) {
    const failure = asGatewayError(error)
    const told = explained(line, failure)
    // What a provider says of one thing that it keeps says nothing about its models, good or bad.
    tell(deps.health, call, failure.isUnsent ? told : undefined)
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
