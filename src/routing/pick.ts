import { shortId, type Misconfiguration } from '../core/deployment.ts'
import { GatewayError } from '../core/failure.ts'
import type { Health, HealthState } from '../core/health.ts'
import type { Cooling } from './cooldown.ts'
import type { Candidate } from './directory.ts'

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

/** How long a client should wait before it asks again for a model that nobody can serve, milliseconds. */
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
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/**
 * One of the candidates: of those of the best health the ones of the lowest order, and of these by chance, by their
 * weights where there are any; never one that cannot be called.
 * A sick one is still tried where nothing better is left: a wrong verdict must not turn into an outage. Only where
 * no connection came about a moment ago nobody is sent, for that would help nobody.
 * @throws GatewayError none_available with each candidate's reason
 */
export function pick(model: string, candidates: readonly Candidate[], inputs: PickInputs): Candidate {
  const best = choose(candidates, inputs)
  if (best === undefined) throw noneAvailable(model, candidates, inputs)
  return best
}

/** The same without words: undefined where nobody can be asked. `isTried` leaves out who has failed this request. */
export function choose(
  candidates: readonly Candidate[],
  inputs: PickInputs,
  isTried?: (index: number) => boolean,
): Candidate | undefined {
  const { health, problem, random, cooling } = inputs
  const share = shareIn(candidates)
  let best: Candidate | undefined
  let bestTier = Number.POSITIVE_INFINITY
  let bestOrder = Number.POSITIVE_INFINITY
  let total = 0
  for (const candidate of candidates) {
    const { index, traffic } = candidate.deployment
    if (isTried?.(index) === true || problem(index) !== undefined) continue
    const rest = cooling?.(index)
    if (rest?.isUseless === true) continue
    const known = TIERS[health(index).state]
    const tier = rest === undefined ? known : Math.max(known, COOLING_TIER)
    const order = traffic?.order ?? Number.MAX_VALUE
    if (tier > bestTier || (tier === bestTier && order > bestOrder)) continue
    const weight = share === undefined ? 1 : (traffic?.[share] ?? 0)
    const isBetter = tier < bestTier || order < bestOrder
    total = isBetter ? weight : total + weight
    bestTier = tier
    bestOrder = order
    // Each of the equals ends up chosen by its weight, in one pass and without a list.
    if (isBetter || random() * total < weight) best = candidate
  }
  return best
}

/** LiteLLM's simple shuffle: what the first deployment has, weight, rpm or tpm, says what all are measured by. */
function shareIn(candidates: readonly Candidate[]): 'weight' | 'rpm' | 'tpm' | undefined {
  const traffic = candidates[0]?.deployment.traffic
  if (traffic === undefined) return undefined
  return (['weight', 'rpm', 'tpm'] as const).find((measure) => traffic[measure] !== undefined)
}

/** The failure of a request that nobody can be asked with. */
export function noneAvailable(
  model: string,
  candidates: readonly Candidate[],
  { problem, cooling }: PickInputs,
): GatewayError {
  const rests = candidates.flatMap(({ deployment }) => cooling?.(deployment.index) ?? [])
  const waitMs = rests.reduce((least, { leftMs }) => Math.min(least, leftMs), NONE_AVAILABLE_RETRY_MS)
  const reasons = candidates.slice(0, MAX_REASONS).map(({ deployment }) => {
    const { index } = deployment
    const why = problem(index)?.message ?? coolingWords(cooling?.(index))
    return `${deployment.model} (${shortId(deployment.id)}): ${why}`
  })
  const more = candidates.length > MAX_REASONS ? `; and ${candidates.length - MAX_REASONS} more` : ''
  return new GatewayError(
    'none_available',
    `No deployment of model=${model} can be called. ${reasons.join('; ')}${more}. See GET /health.`,
    { source: 'gateway', retryAfterMs: Math.max(waitMs, 1000) },
  )
}

function coolingWords(rest: Cooling | undefined): string {
  if (rest === undefined) return 'not callable'
  const { kind, leftMs } = rest
  if (leftMs === 0) return `put aside after ${kind}, and being tried again now`
  return `put aside after ${kind}, tried again in ${Math.ceil(leftMs / 1000)} s`
}
