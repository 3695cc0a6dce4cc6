import { shortId, type Misconfiguration } from '../core/deployment.ts'
import { GatewayError } from '../core/failure.ts'
import type { Health, HealthState } from '../core/health.ts'
import type { Candidate } from './directory.ts'

/** How dear a choice is: lower is tried first. An unchecked deployment is as good as a healthy one. */
const TIERS: Readonly<Record<HealthState, number>> = {
  HEALTHY: 0,
  UNKNOWN: 0,
  SATURATED: 1,
  DOWN: 2,
  MISCONFIGURED: 3,
}

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
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/**
 * One of the candidates: uniformly random among those of the best health, never one that cannot be called.
 * A sick one is still tried where nothing better is left: a wrong verdict must not turn into an outage.
 * @throws GatewayError none_available with each candidate's reason
 */
export function pick(model: string, candidates: readonly Candidate[], inputs: PickInputs): Candidate {
  const { health, problem, random } = inputs
  let best: Candidate | undefined
  let bestTier = Number.POSITIVE_INFINITY
  let ties = 0
  for (const candidate of candidates) {
    if (problem(candidate.deployment.index) !== undefined) continue
    const tier = TIERS[health(candidate.deployment.index).state]
    if (tier > bestTier) continue
    ties = tier < bestTier ? 1 : ties + 1
    bestTier = tier
    // Each of n equals ends up chosen with 1/n, in one pass and without a list.
    if (ties === 1 || random() * ties < 1) best = candidate
  }
  if (best === undefined) throw noneAvailable(model, candidates, problem)
  return best
}

function noneAvailable(
  model: string,
  candidates: readonly Candidate[],
  problem: PickInputs['problem'],
): GatewayError {
  const reasons = candidates.slice(0, MAX_REASONS).map(({ deployment }) => {
    return `${deployment.model} (${shortId(deployment.id)}): ${problem(deployment.index)?.message ?? 'not callable'}`
  })
  const more = candidates.length > MAX_REASONS ? `; and ${candidates.length - MAX_REASONS} more` : ''
  return new GatewayError(
    'none_available',
    `No deployment of model=${model} can be called. ${reasons.join('; ')}${more}. See GET /health.`,
    { source: 'gateway', retryAfterMs: NONE_AVAILABLE_RETRY_MS },
  )
}
