import type { Cancel, Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { Engine } from '../health/engine/engine.ts'
import type { Book } from './book.ts'
import type { Membership } from './membership.ts'
import type { Outbox } from './outbox.ts'
import type { Note, SharedRow, Sharing } from './sharing.ts'
import type { Counts } from './status.ts'

/** `starting`: not heard of the store yet; `shared`: with the others; `alone`: without the store, or not yet back. */
export type Phase = 'starting' | 'shared' | 'alone'

/** What a replica does again and again, and when its store comes and goes. */
export interface Rounds {
  readonly phase: () => Phase
  isShared(): boolean
  /** Goes on in the phase of the replica before. */
  goOn(phase: Phase): void
  /** The store can be used; `recommit` tells what it missed. */
  up(recommit: () => Promise<void>): void
  down(why: string): void
  start(): void
  stop(): void
}

/** What rounds need. */
export interface RoundsDeps {
  readonly sharing: Sharing
  readonly ids: readonly string[]
  readonly engine: () => Pick<Engine, 'standings'>
  readonly intervalMs: number
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly book: Book
  readonly counts: Counts
  readonly membership: Membership
  readonly outbox: Pick<Outbox, 'tell' | 'flush'>
  readonly take: (row: SharedRow) => void
}

/** Successes of traffic are told, and the others counted, so often. */
const ROUND_MS = 5_000
/** Everything is read anew after so many rounds. */
const ROUNDS_TO_READ = 12
/** Those that come back do not all come at once. */
const RETURN_MS = 5_000
const AGAIN_MS = 1_000
/** The engine may look a little before the interval is over. */
const EARLY = 0.9
const NEVER = Number.NEGATIVE_INFINITY

/** Makes the rounds. */
export function createRounds(deps: RoundsDeps): Rounds {
  const { clock, random, log, book } = deps
  let phase: Phase = 'starting'
  let rounds = 0
  let cancelRound: Cancel = () => {}
  let cancelReturn: Cancel = () => {}
  let isStopped = false

  const isShared = (): boolean => phase === 'shared'
  async function join(recommit: () => Promise<void>): Promise<void> {
    try {
      await greet(deps)
      await readAnew(deps)
      if (isStopped) return
      standTogether(book)
      const before = phase
      phase = 'shared'
      await recommit()
      await deps.outbox.flush()
      sayShared(deps, before)
    } catch {
      // A store that fails again says so by itself; one that was slow is asked once more.
      if (!isStopped && deps.sharing.isUp() && phase !== 'shared')
        cancelReturn = clock.after(AGAIN_MS, () => void join(recommit))
    }
  }
  async function round(): Promise<void> {
    rounds += 1
    if (isShared()) await goRound(deps, rounds % ROUNDS_TO_READ === 0)
    if (!isStopped) cancelRound = clock.after(ROUND_MS, () => void round())
  }

  return {
    phase: () => phase,
    isShared,
    goOn: (before) => {
      phase = before
    },
    up: (recommit) => {
      cancelReturn()
      // Those that are new are read at once; whoever was away waits, for others come back too.
      if (phase !== 'alone') void join(recommit)
      else cancelReturn = clock.after(RETURN_MS * random(), () => void join(recommit))
    },
    down: (why) => {
      cancelReturn()
      if (phase === 'alone') return
      phase = 'alone'
      log.warn('sharing_lost', { with: deps.sharing.kind, message: why })
      standAlone(deps, book)
    },
    start: () => {
      cancelRound = clock.after(ROUND_MS * (0.5 + random() / 2), () => void round())
    },
    stop: () => {
      isStopped = true
      cancelRound()
      cancelReturn()
    },
  }
}

function sayShared({ log, sharing, membership }: RoundsDeps, before: Phase): void {
  if (before === 'shared') return
  log.info(before === 'alone' ? 'sharing_back' : 'sharing', {
    with: sharing.kind,
    replicas: membership.size(),
  })
}

async function goRound(deps: RoundsDeps, isReading: boolean): Promise<void> {
  try {
    await greet(deps)
    deps.outbox.tell(...freshSuccesses(deps))
    if (isReading) await readAnew(deps)
  } catch {
    // The next round asks again; a store that is gone says so by itself.
    deps.counts.failed += 1
  }
}

async function greet({ sharing, membership }: RoundsDeps): Promise<void> {
  membership.saw(await sharing.members())
}

async function readAnew({ sharing, take, counts, ids }: RoundsDeps): Promise<void> {
  for (const row of await sharing.snapshot([...new Set(ids)])) take(row)
  counts.reads += 1
}

/** Successes that the others have not heard of. */
function freshSuccesses({ engine, book, clock, intervalMs }: RoundsDeps): readonly Note[] {
  const { standings } = engine()
  const now = clock.elapsed()
  const notes = new Map<string, Note>()
  for (let index = 0; index < book.count; index += 1) {
    const { lastOkAt, lastOkStartedAt } = standings.standing(index, now)
    if (lastOkAt === NEVER || lastOkAt <= (book.toldOkAt[index] ?? NEVER)) continue
    book.toldOkAt[index] = lastOkAt
    const id = book.ids[index] ?? ''
    const known = notes.get(id)?.ok
    if (known !== undefined && known.at >= lastOkAt) continue
    const nextDueAt = lastOkAt + intervalMs * EARLY
    notes.set(id, { id, ok: { at: lastOkAt, startedAt: lastOkStartedAt, nextDueAt } })
  }
  return [...notes.values()]
}

/** What was put off while we were alone is due when it is due for all. */
function standTogether(book: Book): void {
  for (let index = 0; index < book.count; index += 1)
    book.holds[index] = book.rows.get(book.ids[index] ?? '')?.due ?? NEVER
}

/** Each takes its turn as if all still took theirs: who comes second waits for one interval more. */
function standAlone({ membership, intervalMs }: RoundsDeps, book: Book): void {
  for (let index = 0; index < book.count; index += 1) {
    const due = book.rows.get(book.ids[index] ?? '')?.due ?? NEVER
    if (due > NEVER) book.holds[index] = due + membership.place(index) * intervalMs
  }
}
