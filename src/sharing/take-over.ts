import type { Standings } from '../health/engine/standings.ts'
import type { Book } from './book.ts'
import { isNewer } from './ledger.ts'
import { REPORT_MS } from './sharing.ts'
import type { KeptFinding, SharedRow } from './sharing.ts'

/** A claim of somebody else is asked about again after this at the latest, milliseconds: its end may be missed. */
const HELD_MS = 2_000

/** What taking over needs. */
export interface TakeOverDeps {
  readonly book: Book
  readonly standings: Pick<Standings, 'standing' | 'apply'>
  readonly self: string
  /** Looks that failed longer ago say nothing of now. */
  readonly staleMs: number
  /** The deployment that we have looked at ourselves; those of the same identity learn from it. */
  readonly looker?: number
}

/**
 * Hands what others have found out to the engine, as evidence of its own kind. Rows that were seen already, and what this
 * gateway has said itself, change nothing. True where the row was news.
 */
export function takeOver(deps: TakeOverDeps, row: SharedRow, now: number): boolean {
  const { book } = deps
  const before = book.rows.get(row.id)
  const indexes = book.indexesOf(row.id)
  if (indexes.length === 0 || !isNewer(row, before)) return false
  book.rows.set(row.id, row)
  for (const index of indexes) {
    book.holds[index] = heldUntil(row, deps.self, now)
    takeLook(deps, index, row.look, before?.look, now)
    takeOk(deps, index, row, now)
    takeDoubt(deps, index, row.doubt, before?.doubt, now)
    takeVerdict(deps, index, row, before, now)
  }
  return true
}

function heldUntil({ due, claim, until, by }: SharedRow, self: string, now: number): number {
  const isHeld = claim !== '' && by !== self && until > now
  return isHeld ? Math.max(due, Math.min(until, now + HELD_MS)) : due
}

function isOthers(
  found: KeptFinding | undefined,
  before: KeptFinding | undefined,
  self: string,
): found is KeptFinding {
  if (found === undefined || found.by === self) return false
  return found.stamp !== before?.stamp || found.by !== before.by
}

function takeLook(
  { standings, self, staleMs, looker }: TakeOverDeps,
  index: number,
  look: KeptFinding | undefined,
  before: KeptFinding | undefined,
  now: number,
): void {
  const isTwins = looker !== undefined && looker !== index
  if (!isOthers(look, before, isTwins ? '' : self)) return
  if (look.kind !== 'ok' && now - look.at > staleMs) return
  standings.apply(index, { ...evidenceOf(look, now), source: 'replica' }, now)
}

function takeOk({ book, standings }: TakeOverDeps, index: number, row: SharedRow, now: number): void {
  const { okAt, okStartedAt } = row
  const { lastOkStartedAt } = standings.standing(index, now)
  if (okStartedAt > lastOkStartedAt && okAt > (book.toldOkAt[index] ?? 0)) {
    const at = Math.min(okAt, now)
    const startedAt = Math.min(okStartedAt, at)
    standings.apply(index, { kind: 'ok', source: 'peer', depth: 4, startedAt, at, isAttributable: true }, now)
  }
  book.toldOkAt[index] = Math.max(book.toldOkAt[index] ?? okAt, okAt)
}

function takeDoubt(
  { standings, self }: TakeOverDeps,
  index: number,
  doubt: KeptFinding | undefined,
  before: KeptFinding | undefined,
  now: number,
): void {
  if (!isOthers(doubt, before, self)) return
  const isOver = now - doubt.at > (doubt.retryAfterMs ?? REPORT_MS)
  if (!isOver) standings.apply(index, { ...evidenceOf(doubt, now), source: 'peer' }, now)
}

/** A verdict of all, where nothing newer is known here. Our own engine has come to ours by itself. */
function takeVerdict(
  { standings }: TakeOverDeps,
  index: number,
  { verdict, verdictAt, verdictStamp }: SharedRow,
  before: SharedRow | undefined,
  now: number,
): void {
  if (verdict === undefined || verdictStamp === before?.verdictStamp) return
  const { state, reason, domain } = verdict
  standings.apply(index, { kind: 'told', state, reason, domain, at: verdictAt }, now)
}

function evidenceOf({ kind, depth, startedAt, at: found, retryAfterMs }: KeptFinding, now: number) {
  const at = Math.min(found, now)
  const left = retryAfterMs === undefined ? undefined : Math.max(retryAfterMs - (now - at), 0)
  return {
    kind,
    depth,
    startedAt: Math.min(startedAt, at),
    at,
    isAttributable: true,
    ...(left !== undefined && { retryAfterMs: left }),
  }
}
