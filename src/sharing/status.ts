import type { Clock } from '../core/clock.ts'
import type { Book } from './book.ts'
import type { Membership } from './membership.ts'
import type { Phase } from './rounds.ts'
import type { Sharing, SharedRow, SharingKind } from './sharing.ts'

/** What a replica has done so far. */
export interface Counts {
  granted: number
  refused: number
  committed: number
  /** Commits that were refused: somebody else had the claim by then, or the store forgot it. */
  superseded: number
  /** Claims given back because they came too late to be used. */
  late: number
  /** Notes of traffic that were sent, and rows of others that were taken over. */
  told: number
  taken: number
  /** Questions that the store did not answer. */
  failed: number
  /** How often everything was read anew. */
  reads: number
}

/** Makes counts that begin at nothing. */
export function createCounts(): Counts {
  return {
    granted: 0,
    refused: 0,
    committed: 0,
    superseded: 0,
    late: 0,
    told: 0,
    taken: 0,
    failed: 0,
    reads: 0,
  }
}

/** What a replica says of itself. */
export interface ReplicaStatus {
  readonly kind: SharingKind
  readonly self: string
  readonly phase: Phase
  readonly isUp: boolean
  readonly replicas: readonly string[]
  readonly identities: number
  /** Who looks at something now, as far as is known; undefined: nobody. */
  readonly looker: string | undefined
  /** The newest look of anybody: how long ago, milliseconds, and whose. */
  readonly newest: { readonly ageMs: number; readonly by: string } | undefined
  readonly counts: Readonly<Counts>
}

/** What is known, from memory. */
export function statusOf({
  sharing,
  self,
  book,
  counts,
  membership,
  phase,
  clock,
}: {
  readonly sharing: Pick<Sharing, 'kind' | 'isUp'>
  readonly self: string
  readonly book: Book
  readonly counts: Counts
  readonly membership: Pick<Membership, 'names'>
  readonly phase: Phase
  readonly clock: Pick<Clock, 'elapsed'>
}): ReplicaStatus {
  const now = clock.elapsed()
  let newest: SharedRow['look']
  let looker: string | undefined
  for (const { look, claim, until, by } of book.rows.values()) {
    if (look !== undefined && (newest === undefined || look.at > newest.at)) newest = look
    if (claim !== '' && until > now) looker ??= by
  }
  return {
    kind: sharing.kind,
    self,
    phase,
    isUp: sharing.isUp(),
    replicas: membership.names(),
    identities: new Set(book.ids).size,
    looker,
    newest: newest && { ageMs: Math.max(now - newest.at, 0), by: newest.by },
    counts: { ...counts },
  }
}
