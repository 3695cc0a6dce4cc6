import { shortId, type Misconfiguration } from '../../core/deployment.ts'
import { GatewayError } from '../../core/failure.ts'
import type { Choices } from '../../health/engine/choices.ts'
import type { Candidate } from './directory.ts'
import type { LimitWait } from './limits.ts'
import { NOTHING } from '../request/need.ts'
import type { Need } from '../request/need.ts'
import type { Strategy } from './strategy.ts'

/** How long a client should wait before it asks again for a model that nobody can serve, milliseconds. */
const NONE_AVAILABLE_RETRY_MS = 30_000
/** Reasons listed in a message; groups may have thousands of deployments. */
const MAX_REASONS = 8

/** What a choice is made from. */
export interface PickInputs {
  /** What the health engine says; undefined: it has no say. */
  readonly choices: Choices | undefined
  /** By `Clock.elapsed`. */
  readonly now: () => number
  /** Why a deployment cannot be called at all, by its index; undefined where it can. */
  readonly problem: (index: number) => Misconfiguration | undefined
  /** How long it is at its limits; absent: there are none. */
  readonly limitMs?: LimitWait
  /** How long nobody looks whether a connection to it comes about again; undefined: it may be asked. */
  readonly outOfReach?: (index: number) => number | undefined
  /** How equals in health and order are told apart; absent: by their weights and chance. */
  readonly strategy?: Strategy | undefined
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/**
 * One of the candidates: of those that are healthy enough and within their limits the ones that nobody suspects, of
 * these the ones of the lowest order, of these the ones that the strategy likes best, and of these by chance, by their
 * weights where there are any. Those that are just back, or not quite well, have a smaller share.
 * Where nobody is healthy enough, one request at a time is sent to the best of the sick all the same: a wrong verdict
 * must not turn into an outage.
 * @throws GatewayError as `noneAvailable` makes it
 */
export function pick(
  model: string,
  candidates: readonly Candidate[],
  inputs: PickInputs,
  need: Need = NOTHING,
): Candidate {
  const best = choose(candidates, inputs, need)
  if (best === undefined) throw noneAvailable(model, candidates, inputs, need)
  return best
}

/** The same without words: undefined where nobody can be asked. `isTried` leaves out who has failed this request. */
export function choose(
  candidates: readonly Candidate[],
  inputs: PickInputs,
  need: Need,
  isTried?: (index: number) => boolean,
): Candidate | undefined {
  const { strategy } = inputs
  const best = scan(candidates, inputs, need, isTried, Number.NEGATIVE_INFINITY)
  if (best === undefined) return lastResort(candidates, inputs, need, isTried)
  if (strategy === undefined || strategy.slack === 0) return best
  const floor = strategy.score(best.deployment, need) * (1 + strategy.slack)
  return scan(candidates, inputs, need, isTried, floor)
}

/** One pass without a list. Scores below `floor` count as it: those that have them are equals. */
function scan(
  candidates: readonly Candidate[],
  inputs: PickInputs,
  need: Need,
  isTried: ((index: number) => boolean) | undefined,
  floor: number,
): Candidate | undefined {
  const { choices, problem, random, limitMs, strategy, outOfReach } = inputs
  const now = inputs.now()
  const share = strategy === undefined ? shareIn(candidates) : undefined
  let best: Candidate | undefined
  let bestTier = Number.POSITIVE_INFINITY
  let bestOrder = Number.POSITIVE_INFINITY
  let bestScore = Number.POSITIVE_INFINITY
  let total = 0
  for (const candidate of candidates) {
    const { deployment } = candidate
    const { index, traffic } = deployment
    if (isTried?.(index) === true || problem(index) !== undefined) continue
    const part = choices === undefined ? 1 : choices.weight(index, now)
    if (part === 0 || outOfReach?.(index) !== undefined) continue
    // A strategy knows no shares: whoever has a small one is passed over most of the time.
    const isSpared = strategy !== undefined && part < 1 && random() >= part
    const tier = (isSpared ? 2 : 0) + (choices?.tier(index, now) ?? 0)
    const order = traffic?.order ?? Number.MAX_VALUE
    if (tier > bestTier || (tier === bestTier && order > bestOrder)) continue
    const isAhead = tier < bestTier || order < bestOrder
    const score = strategy === undefined ? 0 : Math.max(strategy.score(deployment, need), floor)
    if (!isAhead && score > bestScore) continue
    if (limitMs !== undefined && limitMs(deployment, need) > 0) continue
    const weight = (share === undefined ? 1 : (traffic?.[share] ?? 0)) * part
    const isBetter = isAhead || score < bestScore
    total = isBetter ? weight : total + weight
    bestTier = tier
    bestOrder = order
    bestScore = score
    // Each of the equals ends up chosen by its weight, in one pass.
    if (isBetter || random() * total < weight) best = candidate
  }
  return best
}

/** Only where nobody at all is healthy enough: who has just failed this request, or is full, is no reason to ask the sick. */
function lastResort(
  candidates: readonly Candidate[],
  { choices, problem, limitMs, outOfReach, now: elapsed }: PickInputs,
  need: Need,
  isTried: ((index: number) => boolean) | undefined,
): Candidate | undefined {
  if (choices === undefined) return undefined
  const now = elapsed()
  const sick: number[] = []
  for (const { deployment } of candidates) {
    const { index } = deployment
    if (problem(index) !== undefined || outOfReach?.(index) !== undefined) continue
    if (choices.weight(index, now) > 0) return undefined
    if (isTried?.(index) !== true && (limitMs?.(deployment, need) ?? 0) === 0) sick.push(index)
  }
  const chosen = choices.lastResort(sick, now)
  return candidates.find(({ deployment }) => deployment.index === chosen)
}

/** How many of the candidates could be asked now, but for those that `isTried` leaves out; counted up to `most`. */
export function countChoices(
  candidates: readonly Candidate[],
  { choices, problem, limitMs, outOfReach, now: elapsed }: PickInputs,
  need: Need,
  isTried: (index: number) => boolean,
  most: number,
): number {
  const now = elapsed()
  let count = 0
  for (const { deployment } of candidates) {
    if (count >= most) break
    const { index } = deployment
    if (isTried(index) || problem(index) !== undefined || outOfReach?.(index) !== undefined) continue
    if (choices !== undefined && choices.weight(index, now) === 0) continue
    if ((limitMs?.(deployment, need) ?? 0) === 0) count += 1
  }
  return count
}

/** LiteLLM's simple shuffle: what the first deployment has, weight, rpm or tpm, says what all are measured by. */
function shareIn(candidates: readonly Candidate[]): 'weight' | 'rpm' | 'tpm' | undefined {
  const traffic = candidates[0]?.deployment.traffic
  if (traffic === undefined) return undefined
  return (['weight', 'rpm', 'tpm'] as const).find((measure) => traffic[measure] !== undefined)
}

/**
 * The failure of a request that nobody can be asked with: `throttled` where waiting for a limit would help, else
 * `none_available`; with each candidate's reason and the time after which the first of them may be asked again.
 */
export function noneAvailable(
  model: string,
  candidates: readonly Candidate[],
  inputs: PickInputs,
  need: Need,
): GatewayError {
  const { problem, choices, limitMs, outOfReach } = inputs
  const now = inputs.now()
  let waitMs = waitOf(candidates, inputs)
  let limitedMs = Number.POSITIVE_INFINITY
  const reasons: string[] = []
  for (const { deployment } of candidates) {
    const { index } = deployment
    const cannot = problem(index)
    const reachMs = cannot === undefined ? outOfReach?.(index) : undefined
    const isOut = reachMs !== undefined || (choices !== undefined && choices.weight(index, now) === 0)
    if (reachMs !== undefined) waitMs = Math.min(waitMs, reachMs)
    const fullMs = cannot === undefined && !isOut ? (limitMs?.(deployment, need) ?? 0) : 0
    if (fullMs > 0) limitedMs = Math.min(limitedMs, fullMs)
    if (reasons.length === MAX_REASONS) continue
    const why = cannot?.message ?? (fullMs > 0 ? limitWords(fullMs) : healthWords(index, inputs, reachMs))
    reasons.push(`${deployment.model} (${shortId(deployment.id)}): ${why}`)
  }
  const more = candidates.length > MAX_REASONS ? `; and ${candidates.length - MAX_REASONS} more` : ''
  const list = `${reasons.join('; ')}${more}`
  if (limitedMs < Number.POSITIVE_INFINITY) {
    const retryAfterMs = Math.max(limitedMs, 1000)
    const message = `No deployments available for selected model, Try again in ${Math.ceil(retryAfterMs / 1000)} seconds. Passed model=${model}. ${list}.`
    return new GatewayError('throttled', message, { source: 'gateway', retryAfterMs })
  }
  return new GatewayError(
    'none_available',
    `No deployment of model=${model} can be called. ${list}. See GET /health.`,
    {
      source: 'gateway',
      retryAfterMs: waitMs === Number.POSITIVE_INFINITY ? NONE_AVAILABLE_RETRY_MS : Math.max(waitMs, 1000),
    },
  )
}

function limitWords(leftMs: number): string {
  return `at its rpm, tpm or max_parallel_requests, free in ${Math.ceil(leftMs / 1000)} s`
}

/** Until the first of them may be asked again, as far as anybody knows. */
function waitOf(
  candidates: readonly Candidate[],
  { problem, choices, outOfReach, now: elapsed }: PickInputs,
): number {
  const now = elapsed()
  const callable = candidates
    .map(({ deployment: { index } }) => index)
    .filter((index) => problem(index) === undefined)
  if (choices === undefined || callable.length === 0) return NONE_AVAILABLE_RETRY_MS
  const inReach = callable.filter((index) => outOfReach?.(index) === undefined)
  if (inReach.length === 0) return Number.POSITIVE_INFINITY
  const { retryInMs, states } = choices.health(inReach, now)
  const isComingBack = (states.RECOVERING ?? 0) > 0
  return Math.min(retryInMs ?? NONE_AVAILABLE_RETRY_MS, isComingBack ? 1000 : Number.POSITIVE_INFINITY)
}

function healthWords(
  index: number,
  { choices, now: elapsed }: PickInputs,
  reachMs: number | undefined,
): string {
  if (choices === undefined) return 'not callable'
  const now = elapsed()
  const { state, reason, since, until } = choices.eligibility(index, now)
  const why = reason === undefined ? '' : ` (${reason})`
  const held = `${state}${why} since ${Math.round((now - since) / 1000)} s`
  if (reachMs !== undefined) return `${held}, no connection comes about, ${nextWords(reachMs)}`
  return until === Number.POSITIVE_INFINITY ? held : `${held}, ${nextWords(Math.max(until - now, 0))}`
}

function nextWords(ms: number): string {
  return ms === 0 ? 'being tried again now' : `tried again in ${Math.ceil(ms / 1000)} s`
}
