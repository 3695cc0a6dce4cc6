import type { Traffic } from '../../core/deployment.ts'
import { failureRow } from '../../core/failure.ts'
import type { FailureKind, GatewayError } from '../../core/failure.ts'

/** Retries by kind of failure; a kind that is absent follows the plain number. */
export type RetryPolicy = Readonly<Partial<Record<FailureKind, number>>>

/** What a decision after a failed attempt is made from. */
export interface AfterFailure {
  readonly failure: Pick<GatewayError, 'kind' | 'source'>
  /** Retries made in this group so far. */
  readonly retries: number
  /** Most retries that this group may have after such a failure. */
  readonly maxRetries: number
  /** Another deployment, which has not failed this request, can be asked. */
  readonly hasOther: boolean
  /** The failure of the deployment that would be asked again; undefined: none that asking again can help. */
  readonly again: Pick<GatewayError, 'retryAfterMs'> | undefined
  /** Until the request's own deadline, milliseconds; infinite where it has none. */
  readonly leftMs: number
  /** The shortest wait before the same deployment is asked again (`retry_after`), milliseconds. */
  readonly leastWaitMs: number
  /** In [0, 1). */
  readonly dice: number
}

/** What follows from a failed attempt: nothing more in this group, another deployment now, the same one later. */
export type NextStep =
  | { readonly kind: 'leave' }
  | { readonly kind: 'other' }
  | { readonly kind: 'again'; readonly waitMs: number }

/** The first wait is up to this long, each following one up to twice its predecessor. */
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 8_000
/**
 * Where the client named no deadline: an upstream that asks for more is left alone, and the client told so, for it may
 * have something better to do. (LiteLLM keeps it waiting for up to 60 s.)
 */
const LONGEST_RETRY_AFTER_MS = 10_000

const LEAVE: NextStep = { kind: 'leave' }
const OTHER: NextStep = { kind: 'other' }

/**
 * Decides what to do after a failed attempt of which the client has seen nothing. Another deployment is asked at
 * once; the same one only where nothing else is left and asking again can help, after an exponential wait with full
 * jitter, or what the upstream asked for where that is longer.
 */
export function nextStep(after: AfterFailure): NextStep {
  if (!mayRetry(after.failure) || after.retries >= after.maxRetries || after.leftMs <= 0) return LEAVE
  if (after.hasOther) return OTHER
  if (after.again === undefined) return LEAVE
  const { retryAfterMs = 0 } = after.again
  const waitMs = Math.max(after.leastWaitMs, retryAfterMs, backoffMs(after.retries, after.dice))
  if (waitMs >= after.leftMs) return LEAVE
  if (after.leftMs === Number.POSITIVE_INFINITY && retryAfterMs > LONGEST_RETRY_AFTER_MS) return LEAVE
  return { kind: 'again', waitMs }
}

/** False for what the client did, and for what no other deployment of the group would do better. */
export function mayRetry({ kind, source }: AfterFailure['failure']): boolean {
  return source !== 'client' && failureRow(kind).tryNext
}

/** Full jitter: anything between nothing and the bound, so that clients which failed together do not return together. */
function backoffMs(retries: number, dice: number): number {
  return dice * Math.min(FIRST_WAIT_MS * 2 ** retries, LONGEST_WAIT_MS)
}

/** The deployment's own number; the router's where it has none, or what the tries of its client would have been if more. */
export function plainRetries(traffic: Traffic | undefined, routers: number): number {
  return traffic?.numRetries ?? Math.max(routers, traffic?.leastRetries ?? 0)
}

/** How many retries a group has after a failure: what is written for this kind beats the plain number. */
export function maxRetriesFor(
  kind: FailureKind,
  policies: readonly (RetryPolicy | undefined)[],
  plain: number,
): number {
  for (const policy of policies) {
    const written = policy?.[kind]
    if (written !== undefined) return written
  }
  return plain
}

/**
 * May this be asked once more? What costs much, or leaves something behind at the provider, only where nothing was
 * done: nothing was sent, or the upstream said that it is too busy.
 */
export function mayRepeat(
  { kind, isUnsent, upstreamStatus }: Pick<GatewayError, 'kind' | 'isUnsent' | 'upstreamStatus'>,
  isCostly: boolean,
): boolean {
  return (
    !isCostly || isUnsent || kind === 'none_available' || upstreamStatus === 429 || upstreamStatus === 503
  )
}
