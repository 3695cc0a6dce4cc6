import type { Deployment } from '../../core/deployment.ts'
import type { Ledger } from './ledger.ts'
import type { Need } from '../request/need.ts'

/** Says how long a deployment is at its limits. */
export type LimitWait = (deployment: Deployment, need: Need) => number

/** When one of the requests in flight will end nobody knows. */
const PARALLEL_WAIT_MS = 1000

/**
 * Makes the look at `rpm`, `tpm` and `max_parallel_requests`: how long until a deployment may take this request,
 * milliseconds; 0: it may now. `defaultMaxParallel` is for deployments that have no number of their own.
 */
export function createLimits(
  ledger: Pick<Ledger, 'inFlight' | 'requestWaitMs' | 'tokenWaitMs'>,
  defaultMaxParallel: number | undefined,
): LimitWait {
  return ({ index, traffic }, need) => {
    const maxParallel = traffic?.maxParallelRequests ?? defaultMaxParallel
    const isFull = maxParallel !== undefined && ledger.inFlight(index) >= maxParallel
    const parallelMs = isFull ? PARALLEL_WAIT_MS : 0
    if (traffic === undefined) return parallelMs
    const { rpm, tpm } = traffic
    const requestMs = rpm === undefined ? 0 : ledger.requestWaitMs(index, rpm)
    const tokenMs = tpm === undefined ? 0 : ledger.tokenWaitMs(index, tpm, need)
    return Math.max(parallelMs, requestMs, tokenMs)
  }
}
