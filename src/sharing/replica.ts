import type { Cancel, Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { Was } from '../core/was.ts'
import type { Engine } from '../health/engine/engine.ts'
import type { LookClaims } from '../health/engine/look.ts'
import type { Transition } from '../health/engine/standings.ts'
import { createBook, inheritBook } from './book.ts'
import type { Book } from './book.ts'
import { createClaims } from './claims.ts'
import { statusOf } from './status.ts'
import type { Counts, ReplicaStatus } from './status.ts'
import { createMembership } from './membership.ts'
import type { Membership } from './membership.ts'
import { trafficDoubt } from './outcome.ts'
import { createOutbox } from './outbox.ts'
import type { Outbox } from './outbox.ts'
import { createRounds } from './rounds.ts'
import type { Phase, Rounds } from './rounds.ts'
import type { SharedRow, Sharing } from './sharing.ts'
import { takeOver } from './take-over.ts'

/** This gateway as one of several that look at the same deployments. */
export interface Replica {
  /** The engine's looks ask here. */
  readonly claims: LookClaims
  /** The engine has moved a deployment to another state. */
  moved(index: number, transition: Transition): void
  /** When a look that runs must be over. */
  readonly endsAt: (index: number) => number
  /** From memory. */
  status(): ReplicaStatus
  /** `before`: it goes on where that one, which has been stopped, left off; `was` says who was there. */
  start(before?: { readonly replica: Replica; readonly was: Was }): void
  /** Gives back what it holds; resolves when nothing is left but the place where replicas meet. */
  stop(): Promise<void>
  /** What the replica of the next config goes on with. */
  readonly legacy: ReplicaLegacy
}

/** What passes from the replica of one config to that of the next. */
export interface ReplicaLegacy {
  readonly book: Book
  readonly phase: () => Phase
  readonly members: () => readonly string[]
  /** Is this one's being down a verdict of ours alone, which ends unless others agree? */
  readonly isOurs: (index: number) => boolean
}

/** What a replica runs on. */
export interface ReplicaDeps {
  /** Started by the first of the process's replicas, and stopped by nobody here. */
  readonly sharing: Sharing
  /** Goes on alone while the store does not answer. */
  readonly alone: Sharing
  /** This replica's own name. */
  readonly self: string
  /** Counted on. */
  readonly counts: Counts
  /** The identity of each deployment. */
  readonly ids: readonly string[]
  readonly engine: () => Pick<Engine, 'standings' | 'scheduler'>
  /** The deadline of one look, milliseconds. */
  readonly deadlineMs: (index: number) => number
  readonly intervalMs: number
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
}

/** Without a look of anybody's, one replica's own verdict on its traffic holds for so long, milliseconds. */
const OWN_VERDICT_MS = 30_000

/** Makes a replica; nothing is opened before `start`. */
export function createReplica(deps: ReplicaDeps): Replica {
  const { sharing, self, ids, clock, counts } = deps
  const book = createBook(ids)
  const membership = createMembership(self, ids)
  const { take, isTaking } = createTake(deps, book)
  let isStarted = false
  const outbox = createOutbox({ ...deps, isShared: () => rounds.isShared() })
  const rounds = createRounds({ ...deps, book, membership, outbox, take })
  const claims = createClaims({ ...deps, book, membership, take, phase: rounds.phase })
  const verdicts = createOwnVerdicts(deps, (index) => {
    if (!rounds.isShared() || membership.size() < 2) return
    if (book.rows.get(ids[index] ?? '')?.verdict !== undefined) return
    deps.engine().standings.apply(index, { kind: 'trial' }, clock.elapsed())
  })
  const up = (): void => rounds.up(claims.recommit)
  const listener = { changed: whenShared(rounds, take), up, down: (why: string) => rounds.down(why) }
  let unsubscribe: Cancel = () => {}
  return {
    claims,
    moved: (index, transition) => {
      if (!isStarted) return
      verdicts.moved(index, transition)
      const isOwnNews = !isTaking() && !book.own.has(index)
      if (isOwnNews) tellMove({ ...deps, book, membership, outbox, phase: rounds.phase }, index, transition)
    },
    endsAt: (index) => book.own.get(index)?.endsAt ?? Number.POSITIVE_INFINITY,
    status: () => statusOf({ sharing, self, book, counts, membership, phase: rounds.phase(), clock }),
    start: (before) => {
      isStarted = true
      if (before !== undefined) {
        const { book: from, phase, members, isOurs } = before.replica.legacy
        inheritBook(book, from, before.was)
        membership.saw(members())
        verdicts.inherit(isOurs, before.was)
        rounds.goOn(phase())
      }
      unsubscribe = sharing.subscribe(listener)
      rounds.start()
      if (sharing.isUp()) up()
      else sharing.start()
    },
    stop: async () => {
      isStarted = false
      unsubscribe()
      rounds.stop()
      verdicts.stop()
      await claims.giveBack().catch((error: unknown) => {
        deps.log.debug('sharing_claims_left', { message: String(error) })
      })
    },
    legacy: { book, phase: rounds.phase, members: () => membership.names(), isOurs: verdicts.isOurs },
  }
}

/** What others do is of use only to those who are with them. */
function whenShared(rounds: Pick<Rounds, 'isShared'>, take: (row: SharedRow) => void) {
  return (row: SharedRow): void => {
    if (rounds.isShared()) take(row)
  }
}

/** Takes rows over, and says whether one is being taken over now: what the engine does then is no news of ours. */
function createTake(
  { self, intervalMs, clock, engine, counts }: ReplicaDeps,
  book: Book,
): { readonly take: (row: SharedRow, looker?: number) => void; readonly isTaking: () => boolean } {
  let isTaking = false
  return {
    isTaking: () => isTaking,
    take: (row, looker) => {
      const { standings, scheduler } = engine()
      const about = { book, standings, self, staleMs: intervalMs, ...(looker !== undefined && { looker }) }
      isTaking = true
      try {
        if (!takeOver(about, row, clock.elapsed())) return
        counts.taken += 1
      } finally {
        isTaking = false
      }
      for (const index of book.indexesOf(row.id)) scheduler.replan(index)
    },
  }
}

/** Tells the others of a change of state that traffic, or an operator, has brought about here. */
function tellMove(
  desk: Pick<ReplicaDeps, 'ids' | 'engine' | 'clock'> & {
    readonly book: Book
    readonly membership: Pick<Membership, 'size'>
    readonly outbox: Pick<Outbox, 'tell'>
    readonly phase: () => Phase
  },
  index: number,
  transition: Transition,
): void {
  const { ids, book, membership, outbox } = desk
  const { standings, scheduler } = desk.engine()
  const { from, to } = transition
  const id = ids[index] ?? ''
  const doubt = trafficDoubt(standings, index, transition, desk.clock.elapsed())
  const isAsked = to === 'UNKNOWN' && from !== 'SUSPECT'
  if (doubt === undefined && !isAsked) return
  const mayLook = doubt?.finding.retryAfterMs === undefined
  if (mayLook) book.holds[index] = Number.NEGATIVE_INFINITY
  // The others must know before their own clients do.
  if (to === 'DOWN' && membership.size() > 1 && desk.phase() === 'shared') book.wanted[index] = 1
  outbox.tell({ id, ...(doubt === undefined ? { isDue: true } : { doubt }) })
  scheduler.replan(index)
}

interface OwnVerdicts {
  moved(index: number, transition: Pick<Transition, 'to'>): void
  readonly isOurs: (index: number) => boolean
  inherit(isOurs: (index: number) => boolean, was: Was): void
  stop(): void
}

/** Verdicts that our own traffic alone has come to: none of them outlives its time unless others agree. */
function createOwnVerdicts(
  { clock, ids }: Pick<ReplicaDeps, 'clock' | 'ids'>,
  over: (index: number) => void,
): OwnVerdicts {
  const waits = new Map<number, Cancel>()
  const end = (index: number): void => {
    waits.get(index)?.()
    waits.delete(index)
  }
  const moved: OwnVerdicts['moved'] = (index, { to }) => {
    end(index)
    if (to !== 'DOWN') return
    const cancel = clock.after(OWN_VERDICT_MS, () => {
      waits.delete(index)
      over(index)
    })
    waits.set(index, cancel)
  }
  return {
    moved,
    isOurs: (index) => waits.has(index),
    inherit: (isOurs, was) => {
      for (let index = 0; index < ids.length; index += 1)
        if (isOurs(was(index) ?? -1)) moved(index, { to: 'DOWN' })
    },
    // Those that waited are still known: the replica of the next config asks.
    stop: () => {
      for (const cancel of waits.values()) cancel()
    },
  }
}
