import type { Deployment } from '../core/deployment.ts'
import type { FailureKind } from '../core/failure.ts'
import type { Verdict } from '../core/verdict.ts'
import type { HealthSettings } from './settings.ts'

/** Failures after which nobody has made, or will charge for, a picture. */
const COST_NOTHING: ReadonlySet<FailureKind> = new Set<FailureKind>([
  'auth',
  'quota',
  'not_found',
  'bad_request',
  'rate_limited',
  'overloaded',
  'server_error',
  'unreachable',
  'tls',
])

/** Does a whole check of it cost so much that the background loop looks for free in between? */
export function isDear({ mode }: Pick<Deployment, 'mode'>, { rung }: Pick<HealthSettings, 'rung'>): boolean {
  return mode === 'image_generation' && rung !== 'minimal'
}

/**
 * The newest whole check, where it still holds at `now` (milliseconds since 1970); undefined where only another
 * one will do: there was none, it is `imageIntervalMs` old, or it failed in a way that costs nothing to try again.
 */
export function holdingProof(
  newest: Verdict | undefined,
  now: number,
  { imageIntervalMs }: Pick<HealthSettings, 'imageIntervalMs'>,
): Verdict | undefined {
  if (newest === undefined) return undefined
  if (newest.kind === 'unhealthy' && COST_NOTHING.has(newest.reason)) return undefined
  const ageMs = now - newest.at
  return ageMs >= 0 && ageMs < imageIntervalMs ? newest : undefined
}
