import type { Clock } from '../../core/clock.ts'
import { beginWait, createConnectBudget } from './connect-budget.ts'
import type { ConnectBudget } from './connect-budget.ts'
import type { Candidate } from '../choice/directory.ts'
import { fallbacksFor } from './fallbacks.ts'
import type { Detour, FailureWords, FallbackRules } from './fallbacks.ts'
import { countChoices } from '../choice/pick.ts'
import type { PickInputs } from '../choice/pick.ts'
import type { Asked } from '../choice/plan.ts'
import type { Stay } from './stay.ts'

/** A request that may have to wait for connections. */
export interface Waiter {
  readonly deps: {
    readonly clock: Pick<Clock, 'elapsed'>
    readonly settings: FallbackRules & { readonly connectTimeoutMs: number }
  }
  readonly asked: Asked
  readonly inputs: PickInputs
  readonly waiting: readonly Detour[]
  connects: ConnectBudget | undefined
}

/** Of a deployment's own timeout so much may go by without a connection: the rest is for the answer. */
const OF_TIMEOUT = 0.9
const NO_CONNECTION: FailureWords = { kind: 'unreachable', source: 'upstream', message: '' }

/**
 * How long an attempt may wait for its connection: its share of what the request has left for that, divided among
 * this deployment and all that could be asked after it, here and in a fallback. Milliseconds.
 */
export function connectMs(waiter: Waiter, stay: Stay, { deployment }: Candidate): number {
  const { deps, asked, inputs } = waiter
  const { group, failed, maxRetries, retries } = stay
  waiter.connects ??= createConnectBudget(deps.settings.connectTimeoutMs)
  const isTried = (index: number): boolean => index === deployment.index || failed.has(index)
  const others = countChoices(group.candidates, inputs, asked.need, isTried, maxRetries - retries)
  const more = hasFallback(waiter, stay) ? 1 : 0
  const { timeoutMs = Number.POSITIVE_INFINITY } = deployment.timeouts
  return beginWait(waiter.connects, deps.clock.elapsed(), others + more, timeoutMs * OF_TIMEOUT)
}

function hasFallback({ deps, asked, waiting }: Waiter, { group, depth }: Stay): boolean {
  if (waiting.length > 0) return true
  const names = [group.model, group.name]
  return (
    depth < deps.settings.maxFallbacks &&
    fallbacksFor(names, NO_CONNECTION, deps.settings, asked.read).length > 0
  )
}
