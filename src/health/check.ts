import type { Clock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import { asGatewayError, failureRow, GatewayError } from '../core/failure.ts'
import type { FailureKind } from '../core/failure.ts'
import type { Residence } from '../core/health.ts'
import type { Log } from '../core/log.ts'
import type { HttpMode, Operations } from '../core/mode.ts'
import type { UnhealthyVerdict, Verdict } from '../core/verdict.ts'
import { scarceMs } from '../providers/allowance.ts'
import { encode, exchange, openRealtime } from '../providers/call.ts'
import type { Line } from '../providers/call.ts'
import { freeRequest, look } from '../providers/look.ts'
import { residenceOf } from '../providers/residence.ts'
import { sentRequest } from '../providers/sent-request.ts'
import { explain, metBy, sentence, shownHeaders } from './check-words.ts'
import { flawOf, isRight, questionFor } from './golden.ts'
import type { Answered, Question } from './golden.ts'
import { NOTHING_LEARNED, readRefusal } from './ladder.ts'
import type { Learned } from './ladder.ts'
import type { Lessons } from './lessons.ts'
import { planProbe } from './probes.ts'
import type { PlannedProbe } from './probes.ts'
import type { HealthSettings } from './settings.ts'
import type { Slots } from './slots.ts'
import { leaner, probeSubject } from './subject.ts'
import type { LineOrProblem, NoSubject, Subject } from './subject.ts'

/** Deployment → verdict. The only I/O of health checks; it goes through the providers' one road. */
export interface Checker {
  /**
   * One check: at most two requests within one deadline, which the wish may shorten. A failure is a verdict, never an
   * exception.
   * @throws GatewayError cancelled, and only that, when `signal` aborts
   */
  check(deployment: Deployment, signal: AbortSignal, wish?: CheckWish): Promise<Verdict>
  /**
   * Looks at a deployment without paying, within 5 s. `suspected` is what it is suspected of: where that is the
   * key, a refused one counts.
   * @throws GatewayError cancelled, and only that, when `signal` aborts
   */
  look(deployment: Deployment, signal: AbortSignal, suspected?: FailureKind): Promise<Look>
  /** The verdict on a deployment for which nothing can be sent; undefined where a check must tell. */
  judge(deployment: Deployment): UnhealthyVerdict | undefined
}

/** How a check is to be made. */
export interface CheckWish {
  /** Gives up after this, where the deployment's own deadline is longer; milliseconds. */
  readonly mostMs: number | undefined
  /** It asks what has one right answer, where the mode knows such a thing. */
  readonly isGolden: boolean
}

/**
 * What a free look came to: the front answered well, somebody answered something that says nothing, or it failed. And what it
 * saw of an engine that loads models when they are asked.
 */
export type Look =
  | { readonly kind: 'passed' | 'reached' | 'unsupported'; readonly residence?: Residence }
  | { readonly kind: 'failed'; readonly verdict: Verdict }

/** What a checker needs of the world. */
export interface CheckerDeps {
  /** Written on. */
  readonly lessons: Lessons
  readonly lines: (index: number) => LineOrProblem
  /** For a deployment that is probed under another model (`health_check_model`, wildcards). */
  readonly openLine: (derived: Deployment) => LineOrProblem
  readonly slots: Slots
  readonly clock: Clock
  readonly log: Log
  readonly settings: HealthSettings
}

/** How long and how much a probe may take. */
type Limits = Parameters<typeof exchange>[3]

const USUALLY: CheckWish = { mostMs: undefined, isGolden: false }
/** A free look takes no longer, milliseconds. */
const LOOK_MS = 5_000
/** Largest answer that a probe reads: a generated image in base64 is the largest honest one. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024

/** Makes a checker. What refusals teach it is kept per deployment, so later checks take one request. */
export function createChecker(deps: CheckerDeps): Checker {
  const { forms: lessons, lookedAt } = deps.lessons
  const subjectOf = (deployment: Deployment) => probeSubject(deployment, deps.lines, deps.openLine)
  return {
    judge: (deployment) => {
      const found = subjectOf(deployment)
      return found.kind === 'ready' ? undefined : unsent(deployment, found, deps.clock)
    },
    check: async (deployment, signal, { mostMs, isGolden } = USUALLY) => {
      const found = subjectOf(deployment)
      if (found.kind !== 'ready') return unsent(deployment, found, deps.clock)
      const learned = lessons.get(deployment.index) ?? NOTHING_LEARNED
      const question = isGolden ? questionFor(deployment, found.mode) : undefined
      return inSlot({ deps, lessons, subject: found, signal, mostMs, question }, (check) =>
        attempt(check, learned, false),
      )
    },
    look: async (deployment, signal, suspected) => {
      const found = subjectOf(deployment)
      if (found.kind !== 'ready') return { kind: 'failed', verdict: unsent(deployment, found, deps.clock) }
      const beginning = { deps, lessons, subject: found, signal, mostMs: LOOK_MS, question: undefined }
      return inSlot(beginning, (check) => glance(check, lookedAt, suspected))
    },
  }
}

/** Waits for its turn; the time that a check takes is counted from there. */
async function inSlot<Result>(
  beginning: Pick<Attempt, 'deps' | 'lessons' | 'subject' | 'signal' | 'mostMs' | 'question'>,
  run: (check: Attempt) => Promise<Result>,
): Promise<Result> {
  const { deps, subject, signal } = beginning
  const { host, adapter } = subject.line
  const release = await deps.slots.acquire(host, adapter.oneAtATime === true, signal)
  try {
    return await run({ ...beginning, startedAt: deps.clock.elapsed(), requests: 0, latest: undefined })
  } finally {
    release()
  }
}

function unsent(deployment: Deployment, problem: NoSubject, clock: Clock): UnhealthyVerdict {
  const reason = problem.kind === 'unprobed' ? 'checks_disabled' : 'misconfigured'
  const { ownStatus, fix } = failureRow(reason)
  return {
    kind: 'unhealthy',
    reason,
    error: `${deployment.group} (${deployment.model}): ${sentence(problem.message)} Nothing was sent. What to do: ${fix}.`,
    exceptionStatus: ownStatus,
    at: clock.now(),
    latencyMs: 0,
    requests: 0,
    probedModel: problem.probedModel,
    headers: {},
  }
}

/** One check of one deployment, and what it knows on the way. */
interface Attempt {
  readonly deps: CheckerDeps
  readonly lessons: Map<number, Learned>
  readonly subject: Subject
  readonly signal: AbortSignal
  /** Gives up after this, where the deployment's own deadline is longer; milliseconds. */
  readonly mostMs: number | undefined
  /** What a golden check asks. */
  readonly question: Question | undefined
  /** By `Clock.elapsed`. */
  readonly startedAt: number
  /** Requests made so far. */
  requests: number
  /** The latest request; absent where none could be encoded. */
  latest: { readonly line: Line; readonly wire: ReturnType<typeof encode> } | undefined
}

async function attempt(check: Attempt, learned: Learned, isLast: boolean): Promise<Verdict> {
  const { deps, subject, lessons, question } = check
  const { deployment } = subject
  const plan = planProbe(deployment, {
    ...subject,
    learned,
    settings: deps.settings,
    ...(question && { question }),
  })
  try {
    const { headers, value } = await send(check, plan)
    const flaw = flawOf(deployment, subject.line.target.model, value)
    if (flaw !== undefined) throw new GatewayError('wrong_model', flaw)
    const judged = question && { isRight: isRight(question, value) }
    return { kind: 'healthy', ...judged, ...facts(check, headers) }
  } catch (thrown) {
    if (check.signal.aborted) throw cancelled(thrown)
    const error = asGatewayError(thrown)
    if (error.kind === 'cancelled') throw error
    if (error.kind === 'content_policy') return { kind: 'healthy', note: 'content_policy', ...facts(check) }
    const refusal = readRefusal(error, plan.sent, learned)
    if (refusal.kind === 'alive') return { kind: 'healthy', ...note(refusal.note), ...facts(check) }
    if (refusal.kind === 'refused') return failed(check, error)
    // After the second request only a climb is kept: the next check begins there. A rename would go in circles.
    const isClimb = refusal.learned.budget !== learned.budget
    if (question === undefined && (!isLast || isClimb)) lessons.set(deployment.index, refusal.learned)
    return isLast ? failed(check, error) : attempt(check, refusal.learned, true)
  }
}

/**
 * One free request. A status speaks against a deployment only where the same request has gone well before, or where it
 * is the key that is in doubt: not every server has the route, not every key may list models.
 */
async function glance(
  check: Attempt,
  lookedAt: Set<number>,
  suspected: FailureKind | undefined,
): Promise<Look> {
  const { deployment, line } = check.subject
  const wire = freeRequest(line)
  if (wire === undefined) return { kind: 'unsupported' }
  check.latest = { line, wire }
  check.requests += 1
  try {
    await look(line, wire, limitsOf(check))
    lookedAt.add(deployment.index)
    const residence = await residenceOf(line, limitsOf(check))
    const kind = line.adapter.isFreePublic === true ? 'reached' : 'passed'
    return residence === undefined ? { kind } : { kind, residence }
  } catch (thrown) {
    if (check.signal.aborted) throw cancelled(thrown)
    const error = asGatewayError(thrown)
    if (error.kind === 'cancelled') throw error
    const { upstreamStatus, kind } = error
    const isKnown = lookedAt.has(deployment.index) || (kind === 'auth' && suspected === 'auth')
    if (upstreamStatus !== undefined && (!isKnown || (upstreamStatus < 500 && kind !== 'auth')))
      return { kind: 'reached' }
    return { kind: 'failed', verdict: failed(check, error) }
  }
}

/** Resolves with a good answer. */
async function send(
  check: Attempt,
  { probe, withoutDefaults }: PlannedProbe,
): Promise<{ readonly headers: Readonly<Record<string, string>>; readonly value: Answered }> {
  const { subject } = check
  const limits = limitsOf(check)
  if (probe.mode === 'realtime') {
    check.requests += 1
    return { ...(await openRealtime(subject.line, limits)), value: undefined }
  }
  check.latest = undefined
  const line = leaner(subject.line, withoutDefaults)
  const wire = encodeProbe(line, probe)
  check.latest = { line, wire }
  check.requests += 1
  const answer = await exchange(line, probe.mode, wire, limits, probe.request)
  check.requests += answer.requests - 1
  return answer
}

/** The second request has what the first left of the deadline. */
function limitsOf({ deps, subject, signal, startedAt, mostMs = Number.POSITIVE_INFINITY }: Attempt): Limits {
  // LiteLLM takes `health_check_timeout: 0` as not written.
  const ownMs = subject.deployment.probe.timeoutMs || deps.settings.probeTimeoutMs
  const deadlineMs = Math.min(ownMs, mostMs)
  const timeoutMs = Math.max(deadlineMs - (deps.clock.elapsed() - startedAt), 1)
  return { timeoutMs, maxBytes: MAX_ANSWER_BYTES, signal }
}

function facts(check: Attempt, headers: Readonly<Record<string, string>> = {}) {
  const { clock } = check.deps
  const { requests, startedAt, subject } = check
  const { probedModel } = subject
  const scarce = scarceMs(headers)
  return {
    at: clock.now(),
    latencyMs: clock.elapsed() - startedAt,
    requests,
    probedModel,
    headers: shownHeaders(headers),
    ...(scarce !== undefined && { scarceMs: scarce }),
  }
}

function failed(check: Attempt, error: GatewayError): Verdict {
  const { deps, subject, latest } = check
  const { line, deployment } = subject
  if (error.kind === 'internal') {
    deps.log.error('check_failed', { model_id: deployment.id, message: line.redact(error.message) })
  }
  const isOwnTimeout = error.kind === 'timeout' && error.upstreamStatus === undefined
  return {
    kind: 'unhealthy',
    reason: error.kind,
    error: line.redact(explain(error, deployment, isOwnTimeout)),
    exceptionStatus: error.exceptionStatus,
    ...metBy(error),
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    ...(error.isKeyWide && { isKeyWide: true }),
    ...(latest === undefined || isOwnTimeout ? {} : { request: sentRequest(latest.line, latest.wire) }),
    ...facts(check),
  }
}

function cancelled(cause: unknown): GatewayError {
  return new GatewayError('cancelled', 'the check was cancelled', { cause, source: 'gateway' })
}

function note(kind: 'length' | undefined): { readonly note?: 'length' } {
  return kind === undefined ? {} : { note: kind }
}

function encodeProbe<M extends HttpMode>(
  line: Line,
  probe: { readonly mode: M; readonly request: Operations[M]['request'] },
) {
  return encode(line, probe.mode, probe.request)
}
