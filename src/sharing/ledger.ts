import { isWholeOk, REPORT_MS, REPORTERS } from './sharing.ts'
import type { Claim, Conclusion, Note, Outcome, SharedRow } from './sharing.ts'

/**
 * The rules of claims, pure: what becomes of a row. The store in memory and the one in Postgres run them as they are; the
 * Redis scripts say the same in Lua, and one contract suite holds all three to it. Times are the store's own.
 */

/** What makes the rules safe, as arguments: tests take one away and find what it was good for. */
export interface Guards {
  /** What a commit must show: the nonce of the claim, or only its number, or nothing. */
  readonly fence: 'nonce' | 'epoch' | 'none'
  /** Epochs begin at the store's time, so that a store that forgot everything repeats none. */
  readonly isSeeded: boolean
}

/** How they are in use. */
export const GUARDS: Guards = { fence: 'nonce', isSeeded: true }

const NEVER = Number.NEGATIVE_INFINITY

/** A row of which nothing is known. */
export function blankRow(id: string): SharedRow {
  return {
    id,
    epoch: 0,
    version: 0,
    due: NEVER,
    claim: '',
    until: NEVER,
    by: '',
    okAt: NEVER,
    okStartedAt: NEVER,
    verdictAt: NEVER,
    verdictStamp: 0,
    reporters: {},
  }
}

/** Who asks, for how long, and the nonce that will prove it. */
export interface ClaimRequest {
  readonly by: string
  readonly nonce: string
  readonly leaseMs: number
}

/** May it look now? */
export function claimed(
  row: SharedRow,
  { by, nonce, leaseMs }: ClaimRequest,
  now: number,
  guards: Guards = GUARDS,
): Claim {
  if (row.due > now) return { kind: 'refused', why: 'not_due', row }
  if (row.until > now) return { kind: 'refused', why: 'held', row }
  const epoch = guards.isSeeded ? Math.max(row.epoch + 1, Math.floor(now)) : row.epoch + 1
  return {
    kind: 'granted',
    nonce,
    row: { ...row, epoch, version: row.version + 1, claim: nonce, until: now + leaseMs, by },
  }
}

/** A commit: whose claim it was, and what the look came to. */
export interface CommitRequest {
  readonly by: string
  readonly nonce: string
  /** The claim's number; looked at only where a test takes the nonce away. */
  readonly epoch: number
  readonly outcome: Outcome | undefined
  readonly dueAt: number
}

/** The row after a commit; undefined where the claim is not the committer's any more. */
export function committed(
  row: SharedRow,
  { by, nonce, epoch, outcome, dueAt }: CommitRequest,
  now: number,
  guards: Guards = GUARDS,
): SharedRow | undefined {
  const isHeld =
    guards.fence === 'none' || (guards.fence === 'nonce' ? row.claim === nonce : row.epoch === epoch)
  if (!isHeld || (guards.fence !== 'none' && row.claim === '')) return undefined
  const free: SharedRow = { ...row, version: row.version + 1, claim: '', until: NEVER, by, due: dueAt }
  if (outcome === undefined) return free
  const { finding, conclusion } = outcome
  const looked = { ...free, look: { ...finding, by, stamp: finding.at } }
  const known = isWholeOk(finding) ? withOk(looked, finding.at, finding.startedAt) : looked
  if (conclusion === undefined) return known
  return conclusion.kind === 'up'
    ? withoutVerdict(known)
    : withVerdict(known, conclusion, by, now, conclusion.needsSecond)
}

/** The row after what traffic found out. Successes merge by the later time, in whatever order they come. */
export function merged(row: SharedRow, note: Omit<Note, 'id'>, by: string, now: number): SharedRow {
  const { ok, doubt, isDue } = note
  const heard = ok === undefined ? row : withNews(row, ok)
  const doubted = doubt === undefined ? heard : withDoubt(heard, doubt, by, now)
  const due = isDue === true && doubted.due > now ? { ...doubted, due: now } : doubted
  if (due === row) return row
  const epoch = row.epoch === 0 ? Math.floor(now) : row.epoch
  return { ...due, epoch, version: row.version + 1 }
}

function withNews(row: SharedRow, { at, startedAt, nextDueAt }: NonNullable<Note['ok']>): SharedRow {
  if (at <= row.okAt && startedAt <= row.okStartedAt && nextDueAt <= row.due) return row
  const due = at > row.okAt ? Math.max(row.due, nextDueAt) : row.due
  return { ...withOk(row, at, startedAt), due }
}

function withDoubt(row: SharedRow, { finding, conclusion }: Outcome, by: string, now: number): SharedRow {
  const { at, retryAfterMs } = finding
  // Who asks us to wait is left alone; whoever else is doubted may be looked at by anybody, at once.
  const due = retryAfterMs === undefined ? Math.min(row.due, now) : Math.max(row.due, at + retryAfterMs)
  const doubted = { ...row, doubt: { ...finding, by, stamp: at }, due }
  return conclusion?.kind === 'down' ? withVerdict(doubted, conclusion, by, now, true) : doubted
}

/** A success of a call that began after a verdict ends it. */
function withOk(row: SharedRow, at: number, startedAt: number): SharedRow {
  const next = {
    ...row,
    okAt: Math.max(row.okAt, at),
    okStartedAt: Math.max(row.okStartedAt, startedAt),
  }
  return next.okStartedAt > row.verdictAt ? withoutVerdict(next) : next
}

function withoutVerdict(row: SharedRow): SharedRow {
  const { verdict: _, ...rest } = row
  return { ...rest, verdictAt: NEVER, verdictStamp: 0, reporters: {} }
}

/** Down for all: by a look, or by the word of two replicas. */
function withVerdict(
  row: SharedRow,
  verdict: Extract<Conclusion, { kind: 'down' }>,
  by: string,
  now: number,
  needsSecond: boolean,
): SharedRow {
  const verdictStamp = Math.floor(now)
  if (!needsSecond) return { ...row, verdict, verdictAt: now, verdictStamp }
  const fresh = Object.entries(row.reporters).filter(([, at]) => now - at <= REPORT_MS)
  const reporters = { ...Object.fromEntries(fresh), [by]: now }
  const isKnown = row.verdict !== undefined || Object.keys(reporters).length < REPORTERS
  return isKnown ? { ...row, reporters } : { ...row, reporters, verdict, verdictAt: now, verdictStamp }
}

/** Has a reader seen this, or newer? */
export function isNewer(
  { epoch, version }: Pick<SharedRow, 'epoch' | 'version'>,
  than: Pick<SharedRow, 'epoch' | 'version'> | undefined,
): boolean {
  if (than === undefined) return true
  return epoch > than.epoch || (epoch === than.epoch && version > than.version)
}
