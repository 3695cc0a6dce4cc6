import type { Deployment } from '../../core/deployment.ts'
import { GatewayError } from '../../core/failure.ts'
import type { Candidate } from './directory.ts'
import type { Need } from '../request/need.ts'

/** Tokens that a deployment's model takes in at most; undefined where nobody knows. */
export type MaxInputTokens = (deployment: Deployment) => number | undefined

/** The candidates whose model has room for this request; one of which nobody knows has. */
export function withRoom(
  candidates: readonly Candidate[],
  need: Need,
  maxInputTokens: MaxInputTokens,
): readonly Candidate[] {
  const has = ({ deployment }: Candidate): boolean =>
    need.tokens() <= (maxInputTokens(deployment) ?? Number.POSITIVE_INFINITY)
  return candidates.every(has) ? candidates : candidates.filter(has)
}

/** The failure of a request that is too long for every deployment; fallbacks for the context window are for it. */
export function tooLong(
  model: string,
  candidates: readonly Candidate[],
  need: Need,
  maxInputTokens: MaxInputTokens,
): GatewayError {
  const most = Math.max(...candidates.map(({ deployment }) => maxInputTokens(deployment) ?? 0))
  const message =
    'Context Window exceeded for given call. No models have context window large enough for this call. ' +
    `model=${model.slice(0, 256)} takes ${most} tokens, and this request is about ${need.tokens()} (a quarter of its bytes)`
  return new GatewayError('bad_request', message, { source: 'gateway', status: 400, param: 'messages' })
}
