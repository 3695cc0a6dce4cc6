import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { Engine } from '../health/engine/engine.ts'
import type { LookClaims } from '../health/engine/look.ts'
import type { Plan } from '../health/engine/next-probe.ts'
import type { Book, OwnLook } from './book.ts'
import { leaseOf, maySend } from './lease.ts'
import type { Membership } from './membership.ts'
import { waitOf } from './order.ts'
import { lookOutcome } from './outcome.ts'
import type { Phase } from './rounds.ts'
import { isWholeOk } from './sharing.ts'
import type { Claim, Outcome, SharedRow, Sharing } from './sharing.ts'
import type { Counts } from './status.ts'

/** Looks of this gateway, each with a claim. */
export interface Claims extends LookClaims {
  /** What could not be committed while the store was away is committed now, or refused. */
  readonly recommit: () => Promise<void>
  /** Gives back every claim that is held. */
  giveBack(): Promise<void>
}

/** What claims are made with. */
export interface ClaimsDeps {
  readonly sharing: Sharing
  readonly alone: Sharing
  readonly ids: readonly string[]
  readonly engine: () => Pick<Engine, 'standings'>
  readonly deadlineMs: (index: number) => number
  readonly clock: Clock
  readonly log: Log
  readonly book: Book
  readonly counts: Counts
  readonly membership: Pick<Membership, 'place' | 'size'>
  readonly take: (row: SharedRow, looker?: number) => void
  readonly phase: () => Phase
}

/** A commit that the store did not take. */
interface Unsaid {
  readonly nonce: string
  readonly outcome: Outcome | undefined
  readonly dueAt: number
}

interface Desk extends ClaimsDeps {
  /** By identity, the newest. Bounded by the identities. */
  readonly unsaid: Map<string, Unsaid>
  /** All claims were given back, and so is what is granted from now on. */
  isOver: boolean
}

/** While the store has not answered for the first time, it is asked again so soon, milliseconds. */
const STARTING_MS = 250
/** After a refusal nobody asks sooner, milliseconds. */
const AGAIN_MS = 50
const HELD_MS = 2_000
const NEVER = Number.NEGATIVE_INFINITY

/** Makes the claims. */
export function createClaims(deps: ClaimsDeps): Claims {
  const desk: Desk = { ...deps, unsaid: new Map(), isOver: false }
  const { book } = deps
  return {
    heldUntil: (index, purpose) => heldUntil(desk, index, purpose),
    isWanted: (index) => book.wanted[index] === 1,
    claim: (index, plan, answer) => {
      book.wanted[index] = 0
      claim(desk, index, plan)
        .then(answer)
        .catch((error: unknown) => {
          deps.log.error('sharing_crashed', { message: String(error) })
          hold(desk, index, HELD_MS)
          answer(false)
        })
    },
    ended: (index, nextAt) => {
      ended(desk, index, nextAt).catch((error: unknown) => {
        deps.log.error('sharing_crashed', { message: String(error) })
      })
    },
    recommit: () => recommit(desk),
    giveBack: async () => {
      desk.isOver = true
      const own = [...book.own].filter(([, { isLocal }]) => !isLocal)
      book.own.clear()
      const now = deps.clock.elapsed()
      await Promise.all(
        own.map(([index, { nonce }]) => deps.sharing.commit(deps.ids[index] ?? '', nonce, undefined, now)),
      )
    },
  }
}

function heldUntil(desk: Desk, index: number, purpose: Plan['purpose']): number {
  const { book, membership, phase } = desk
  const until = book.holds[index] ?? NEVER
  if (until === NEVER) return until
  if (purpose !== 'confirm') return until + waitOf(membership.place(index))
  // A doubt is cleared up at once: by ourselves, where nobody can be asked or where we may be at fault.
  return phase() === 'alone' || isOurDoubt(desk, index) ? NEVER : until
}

function isOurDoubt({ engine, clock }: Desk, index: number): boolean {
  const { standings } = engine()
  const now = clock.elapsed()
  const { state, reason, blames } = standings.standing(index, now)
  if (state !== 'SUSPECT' || reason === undefined) return false
  return standings.mayBeOurs(index, reason, blames[0]?.startedAt ?? now, now)
}

function hold({ book, clock }: Desk, index: number, ms: number): void {
  book.holds[index] = Math.max(book.holds[index] ?? NEVER, clock.elapsed() + ms)
}

async function claim(desk: Desk, index: number, { purpose }: Plan): Promise<boolean> {
  const { sharing, ids, book, counts, take, phase, clock } = desk
  if (phase() === 'starting') {
    hold(desk, index, STARTING_MS)
    return false
  }
  const isIdle = purpose !== 'confirm'
  const startedAt = clock.elapsed()
  const { mostMs, leaseMs } = leaseOf(desk.deadlineMs(index))
  const own = { isIdle, startedAt, endsAt: startedAt + mostMs }
  if (isOurDoubt(desk, index)) return true
  if (phase() !== 'shared') return claimAlone(desk, index, own, leaseMs)
  const id = ids[index] ?? ''
  let claimed: Claim
  try {
    claimed = await sharing.claim(id, leaseMs)
  } catch {
    counts.failed += 1
    return claimAlone(desk, index, own, leaseMs)
  }
  take(claimed.row)
  if (claimed.kind === 'refused') {
    counts.refused += 1
    const { due, until } = claimed.row
    const at = claimed.why === 'held' ? Math.min(until, clock.elapsed() + HELD_MS) : due
    book.holds[index] = Math.max(at, clock.elapsed() + AGAIN_MS)
    return false
  }
  counts.granted += 1
  if (desk.isOver || !maySend(clock.elapsed() - startedAt, desk.deadlineMs(index), mostMs)) {
    counts.late += 1
    await sharing.commit(id, claimed.nonce, undefined, clock.elapsed()).catch(() => {
      // It runs out by itself.
    })
    hold(desk, index, AGAIN_MS)
    return false
  }
  book.own.set(index, { ...own, nonce: claimed.nonce, isLocal: false })
  book.holds[index] = NEVER
  return true
}

/** Without the store: by the same rules, with nobody else. */
async function claimAlone(
  { alone, ids, book, clock }: Desk,
  index: number,
  own: Omit<OwnLook, 'nonce' | 'isLocal'>,
  leaseMs: number,
): Promise<boolean> {
  const claimed = await alone.claim(ids[index] ?? '', leaseMs)
  if (claimed.kind === 'refused' && own.isIdle) {
    book.holds[index] = Math.max(claimed.row.due, clock.elapsed() + AGAIN_MS)
    return false
  }
  const nonce = claimed.kind === 'granted' ? claimed.nonce : ''
  book.own.set(index, { ...own, nonce, isLocal: true })
  book.holds[index] = NEVER
  return true
}

async function ended(desk: Desk, index: number, nextAt: number): Promise<void> {
  const { alone, ids, book, clock, membership, engine, unsaid } = desk
  const own = book.own.get(index)
  if (own === undefined) return
  book.own.delete(index)
  const id = ids[index] ?? ''
  const now = clock.elapsed()
  const outcome = lookOutcome(engine().standings, index, own.startedAt, now)
  if (!own.isLocal) return commit(desk, index, { nonce: own.nonce, outcome, dueAt: nextAt })
  // Each of us looks so much more seldom that all together look as often as ever.
  const dueAt = own.isIdle ? now + (nextAt - now) * membership.size() : nextAt
  book.holds[index] = own.isIdle ? dueAt : NEVER
  await alone.commit(id, own.nonce, outcome, dueAt)
  if (outcome !== undefined) unsaid.set(id, { nonce: '', outcome, dueAt: nextAt })
}

async function commit(desk: Desk, index: number, said: Unsaid): Promise<void> {
  const { sharing, ids, book, counts, take, log, unsaid } = desk
  const id = ids[index] ?? ''
  try {
    const { kind, row } = await sharing.commit(id, said.nonce, said.outcome, said.dueAt)
    if (kind === 'committed') {
      counts.committed += 1
      const { finding } = said.outcome ?? {}
      if (finding?.kind === 'ok') book.toldOkAt[index] = Math.max(book.toldOkAt[index] ?? NEVER, finding.at)
      take(row, index)
    } else {
      counts.superseded += 1
      log.info('sharing_commit_refused', { identity: id })
      take(row)
    }
  } catch {
    counts.failed += 1
    unsaid.set(id, said)
    book.holds[index] = said.dueAt
  }
}

/** Looks that were made meanwhile are told: those with a claim by it, the others as evidence. */
async function recommit(desk: Desk): Promise<void> {
  const { sharing, unsaid, counts, take } = desk
  const notes = []
  for (const [id, { nonce, outcome, dueAt }] of unsaid) {
    if (nonce === '') {
      if (outcome?.finding.kind === 'ok') {
        const { at, startedAt } = outcome.finding
        if (isWholeOk(outcome.finding)) notes.push({ id, ok: { at, startedAt, nextDueAt: dueAt } })
      } else if (outcome !== undefined) notes.push({ id, doubt: outcome })
      continue
    }
    const { kind, row } = await sharing.commit(id, nonce, outcome, dueAt)
    unsaid.delete(id)
    if (kind === 'committed') counts.committed += 1
    else counts.superseded += 1
    take(row)
  }
  await sharing.evidence(notes)
  unsaid.clear()
}
