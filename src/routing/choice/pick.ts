import { shortId, type Misconfiguration } from '../../core/deployment.ts'
import { GatewayError } from '../../core/failure.ts'
import type { Health, HealthState } from '../../core/health.ts'
import type { Cooling } from './cooldown.ts'
import type { Candidate } from './directory.ts'
import type { LimitWait } from './limits.ts'
import { NOTHING } from '../request/need.ts'
import type { Need } from '../request/need.ts'
import type { Strategy } from './strategy.ts'

/** How dear a choice is: lower is tried first. An unchecked deployment is as good as a healthy one. */
const TIERS: Readonly<Record<HealthState, number>> = {
  HEALTHY: 0,
  UNKNOWN: 0,
  DEGRADED: 0,
  RECOVERING: 0,
  SUSPECT: 1,
  SATURATED: 1,
  DOWN: 2,
  MISCONFIGURED: 3,
  ISOLATED: 4,
}

/** Failing traffic is newer evidence than a probe: a cooling deployment is as dear as one that is down. */
const COOLING_TIER = TIERS.DOWN

/** How long a client should wait before it asks again for a model whose deployments all need mending, milliseconds. */
const NONE_AVAILABLE_RETRY_MS = 30_000
/** Reasons listed in a message; groups may have thousands of deployments. */
const MAX_REASONS = 8

/** What a choice is made from. */
export interface PickInputs {
  /** The board's knowledge, by deployment index. */
  readonly health: (index: number) => Health
  /** Why a deployment cannot be called at all, by its index; undefined where it can. */
  readonly problem: (index: number) => Misconfiguration | undefined
  /** What failing traffic says of it, by its index; absent: nobody keeps count. */
  readonly cooling?: (index: number) => Cooling | undefined
  /** How long it is at its limits; absent: there are none. */
  readonly limitMs?: LimitWait
  /** How equals in health and order are told apart; absent: by their weights and chance. */
  readonly strategy?: Strategy | undefined
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/**
 * One of the candidates: of those within their limits the ones of the best health, of these the ones of the lowest
 * order, of these the ones that the strategy likes best, and of these by chance, by their weights where there are
 * any; never one that cannot be called.
 * A sick one is still tried where nothing better is left: a wrong verdict must not turn into an outage. Only where
 * no connection came about a moment ago nobody is sent, for that would help nobody.
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
  if (best === undefined || strategy === undefined || strategy.slack === 0) return best
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
  const { health, problem, random, cooling, limitMs, strategy } = inputs
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
    const rest = cooling?.(index)
    if (rest?.isUseless === true) continue
    const known = TIERS[health(index).state]
    const tier = rest === undefined ? known : Math.max(known, COOLING_TIER)
    const order = traffic?.order ?? Number.MAX_VALUE
    if (tier > bestTier || (tier === bestTier && order > bestOrder)) continue
    const isAhead = tier < bestTier || order < bestOrder
    const score = strategy === undefined ? 0 : Math.max(strategy.score(deployment, need), floor)
    if (!isAhead && score > bestScore) continue
    if (limitMs !== undefined && limitMs(deployment, need) > 0) continue
    const weight = share === undefined ? 1 : (traffic?.[share] ?? 0)
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

/** How many of the candidates could be asked now, but for those that `isTried` leaves out; counted up to `most`. */
export function countChoices(
  candidates: readonly Candidate[],
  { problem, cooling, limitMs }: PickInputs,
  need: Need,
  isTried: (index: number) => boolean,
  most: number,
): number {
  let count = 0
  for (const { deployment } of candidates) {
    if (count >= most) break
    const { index } = deployment
    if (isTried(index) || problem(index) !== undefined || cooling?.(index)?.isUseless === true) continue
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
  { problem, cooling, limitMs }: PickInputs,
  need: Need,
): GatewayError {
  let waitMs = Number.POSITIVE_INFINITY
  let limitedMs = Number.POSITIVE_INFINITY
  const reasons: string[] = []
  for (const { deployment } of candidates) {
    const { index } = deployment
    const cannot = problem(index)
    const rest = cannot === undefined ? cooling?.(index) : undefined
    const fullMs = cannot === undefined && rest?.isUseless !== true ? (limitMs?.(deployment, need) ?? 0) : 0
    if (rest !== undefined) waitMs = Math.min(waitMs, rest.leftMs)
    if (fullMs > 0) limitedMs = Math.min(limitedMs, fullMs)
    if (reasons.length === MAX_REASONS) continue
    const why = cannot?.message ?? (fullMs > 0 ? limitWords(fullMs) : coolingWords(rest))
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

function coolingWords(rest: Cooling | undefined): string {
  if (rest === undefined) return 'not callable'
  const { kind, leftMs } = rest
  if (leftMs === 0) return `put aside after ${kind}, and being tried again now`
  return `put aside after ${kind}, tried again in ${Math.ceil(leftMs / 1000)} s`
}
