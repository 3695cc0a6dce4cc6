import type { Depth } from './depth.ts'
import type { FailureKind } from './failure.ts'

/**
 * Where a piece of evidence comes from. `peer`: another deployment of the same host or key, or traffic of another
 * gateway; `replica`: a look that another gateway has made in our place.
 */
export type EvidenceSource = 'traffic' | 'probe' | 'replica' | 'peer'

/** Somebody looked, with a request of our own making. */
export function isLook(source: EvidenceSource): boolean {
  return source === 'probe' || source === 'replica'
}

/** What one answer, or the lack of one, says of a deployment. Times are `Clock.elapsed`'s. */
export interface Evidence {
  readonly kind: 'ok' | FailureKind
  /** Of a success: how deep its proof goes. Of a failure: how deep the look went that met it. */
  readonly depth: Depth
  readonly source: EvidenceSource
  /** When the call began. What began before a verdict says nothing about the time after it. */
  readonly startedAt: number
  /** When the outcome was known. */
  readonly at: number
  /** False where the caller, or we ourselves, may be at fault; it then changes nothing. */
  readonly isAttributable: boolean
  /** How long the upstream asks us to stay away, milliseconds. */
  readonly retryAfterMs?: number
  /** Of a success: its first token took far longer than usual. */
  readonly isSlow?: boolean
  /** The provider says that it concerns all that the key is used for, not this model alone. */
  readonly isKeyWide?: boolean
  /** One client request across its retries; 0 where unknown. */
  readonly request?: number
  /** A hash of who asked and what; 0 where unknown. */
  readonly prompt?: number
}
