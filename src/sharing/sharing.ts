import type { Cancel } from '../core/clock.ts'
import { DEPTH } from '../core/depth.ts'
import type { Depth, FaultDomain } from '../core/depth.ts'
import type { FailureKind } from '../core/failure.ts'

/** A verdict that other replicas take over. */
export type SharedState = 'DOWN' | 'MISCONFIGURED'

/** What a look, or traffic, found out, for other replicas. Times are the caller's `Clock.elapsed`. */
export interface Finding {
  readonly kind: 'ok' | FailureKind
  readonly depth: Depth
  readonly startedAt: number
  readonly at: number
  readonly retryAfterMs?: number
}

/** Somebody has answered in full. */
export function isWholeOk({ kind, depth }: Pick<Finding, 'kind' | 'depth'>): boolean {
  return kind === 'ok' && depth >= DEPTH.answer
}

/** What follows from a finding where it came from: a verdict, or a good word; absent: neither. */
export type Conclusion =
  | { readonly kind: 'up' }
  | {
      readonly kind: 'down'
      readonly state: SharedState
      readonly reason: FailureKind
      readonly domain: FaultDomain
      /** It cannot be told from a failure of our own network: a second replica must say so too. */
      readonly needsSecond: boolean
    }

/** What a look came to. */
export interface Outcome {
  readonly finding: Finding
  readonly conclusion?: Conclusion
}

/** What is told without a look: the newest success of traffic, and a doubt that traffic raised. */
export interface Note {
  readonly id: string
  readonly ok?: { readonly at: number; readonly startedAt: number; readonly nextDueAt: number }
  readonly doubt?: Outcome
  /** Somebody must know: whoever asks may look at once. */
  readonly isDue?: boolean
}

/** A finding as a row keeps it; `stamp` tells two of them apart, whoever reads them. */
export interface KeptFinding extends Finding {
  readonly by: string
  readonly stamp: number
}

/** What all replicas know of one probe identity. Times are `Clock.elapsed`'s of whoever reads it. */
export interface SharedRow {
  readonly id: string
  /** Grow with every change, `epoch` first: whoever holds a newer pair has seen this already. */
  readonly epoch: number
  readonly version: number
  /** Nobody looks before. */
  readonly due: number
  /** The nonce of whoever looks now, and until when that holds; empty: nobody. */
  readonly claim: string
  readonly until: number
  /** Who looked last, or looks. */
  readonly by: string
  /** The newest whole success of anybody: when it was seen, and when its call began. */
  readonly okAt: number
  readonly okStartedAt: number
  /** The verdict that holds for all, and since when. */
  readonly verdict?: Extract<Conclusion, { kind: 'down' }>
  readonly verdictAt: number
  /** Tells two verdicts apart, whoever reads them; 0: there is none. */
  readonly verdictStamp: number
  /** What the newest look found, and what traffic somewhere suspects. */
  readonly look?: KeptFinding
  readonly doubt?: KeptFinding
  /** Who says that it is down without having looked, and when. */
  readonly reporters: Readonly<Record<string, number>>
}

/** The answer to a claim; `row` is what is known now. */
export type Claim =
  | { readonly kind: 'granted'; readonly nonce: string; readonly row: SharedRow }
  | { readonly kind: 'refused'; readonly why: 'held' | 'not_due'; readonly row: SharedRow }

/** Whether a look's outcome was taken; `superseded`: somebody else had the claim by then, or the store forgot it. */
export interface Committed {
  readonly kind: 'committed' | 'superseded'
  readonly row: SharedRow
}

/** Told of what others do. All of it is a hint: what is missed is read again. */
export interface SharingListener {
  /** Somebody has changed a row. */
  changed(row: SharedRow): void
  /** The store can be used from now on, and hints come again: everything is to be read anew. */
  up(): void
  /** The store does not answer. */
  down(why: string): void
}

/** Where claims live. */
export type SharingKind = 'local' | 'redis' | 'postgres'

/** Who looks at a probe identity now, and what is known of it: one interface over what replicas have in common. */
export interface Sharing {
  readonly kind: SharingKind
  readonly isUp: () => boolean
  /** Asks to look at this identity for `leaseMs` from now. Rejects with `SharingError` where the store does not answer. */
  claim(id: string, leaseMs: number): Promise<Claim>
  /** Ends a claim, with what the look came to; without, it only gives the claim back. */
  commit(id: string, nonce: string, outcome: Outcome | undefined, dueAt: number): Promise<Committed>
  /** Tells what traffic found out, in one go. */
  evidence(notes: readonly Note[]): Promise<void>
  /** What is known of these. Identities of which nothing is known are left out. */
  snapshot(ids: readonly string[]): Promise<readonly SharedRow[]>
  subscribe(listener: SharingListener): Cancel
  /** Says that this replica lives, and asks who else does. */
  members(): Promise<readonly string[]>
  start(): void
  stop(): Promise<void>
}

/** The store did not do what it was asked. */
export class SharingError extends Error {}

/** Who reports without having looked is believed for so long, milliseconds. */
export const REPORT_MS = 30_000
/** So many replicas that report the same need no look. */
export const REPORTERS = 2
/** A replica that says nothing for so long has left, milliseconds. */
export const MEMBER_MS = 15_000
/** Rows and replicas that anybody may keep in a store at most; more replicas are not counted. */
export const MOST_MEMBERS = 1000
