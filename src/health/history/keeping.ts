import type { Clock } from '../../core/clock.ts'
import type { HistoryBatch, HistoryStore, KeptStanding } from '../../core/history.ts'
import type { Log } from '../../core/log.ts'
import { messageOf } from '../../core/message-of.ts'
import type { Board } from '../board.ts'
import type { SavedHealth, Saving } from '../saved-health.ts'
import type { KeptNames } from './kept-names.ts'
import { createPending } from './pending.ts'
import type { BatchRows, Pending } from './pending.ts'

/** What can be read. */
export type Reads = Pick<HistoryStore, 'checks' | 'latest' | 'uptime' | 'incidents'>

/** How the store is. */
export interface HistoryStatus {
  readonly kind: HistoryStore['kind']
  /** `kept`: what happens is written. `waiting`: it cannot be; rows wait, and reads come from memory. */
  readonly state: 'kept' | 'waiting'
  readonly since: number
  /** Why it waits. */
  readonly error?: string
  /** Rows that wait for the store, and rows that were thrown away because too many did. */
  readonly waiting: number
  readonly dropped: number
}

/** What a history is made of. */
export interface HistoryDeps {
  readonly store: HistoryStore
  /** Made where the store fails: what happens meanwhile can be read from there. */
  readonly standIn: () => HistoryStore
  /** Unlike any other running gateway's. */
  readonly writer: string
  readonly clock: Clock
  readonly log: Log
}

/** Whose past is written: the deployments of one config. */
export interface Scene {
  readonly board: Pick<Board, 'deployments' | 'health' | 'onChange'>
  readonly saving: Saving
  readonly names: KeptNames
}

/** A database that has nothing to write is asked so often whether it is there. */
const PING_MS = 1000
const PRUNE_MS = 600_000
const FIRST_RETRY_MS = 1000
const LAST_RETRY_MS = 5000

/** What is kept, what waits, and how the store is. */
export interface Work {
  readonly deps: HistoryDeps
  /** Undefined: nobody's yet. */
  scene: Scene | undefined
  readonly pending: Pending
  /** What waits while the store cannot be had. */
  readonly backlog: Pending
  /** Written, or about to be; the same again until the store says that it has it. */
  frozen: HistoryBatch | undefined
  standIn: HistoryStore | undefined
  number: number
  isKept: boolean
  since: number
  error: string
  lastOkAt: number
  retryMs: number
  retryAt: number
  pruneAt: number
}

export function createWork(deps: HistoryDeps): Work {
  return {
    deps,
    scene: undefined,
    pending: createPending(),
    backlog: createPending(),
    frozen: undefined,
    standIn: undefined,
    number: 0,
    isKept: false,
    since: deps.clock.now(),
    error: '',
    lastOkAt: 0,
    retryMs: FIRST_RETRY_MS,
    retryAt: 0,
    pruneAt: 0,
  }
}

/** Opens the store and reads what everybody stood at; nothing, where that fails. */
export async function open(work: Work): Promise<readonly KeptStanding[]> {
  const { store } = work.deps
  try {
    await store.open()
    const standings = await store.standings()
    succeeded(work)
    return standings
  } catch (error) {
    failed(work, error)
    return []
  }
}

export function takeOver({ deps, scene }: Work, standings: readonly KeptStanding[]): void {
  const { clock, log } = deps
  if (standings.length === 0 || scene === undefined) return
  const { board, saving, names } = scene
  const byIdentity = new Map(standings.map((standing) => [standing.identity, standing]))
  const saved = new Map<number, SavedHealth>()
  for (const { index } of board.deployments) {
    const standing = byIdentity.get(names.of(index).identity)
    if (standing === undefined) continue
    saved.set(index, { plain: parsed(standing.plain), ageMs: clock.now() - standing.at })
  }
  const restored = saving.restore(saved)
  log.info('health_restored', { deployments: restored.length, of: board.deployments.length })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Somebody else wrote it: it is passed over like anything that is not of our form.
    return undefined
  }
}

/** One second's work. Never rejects. */
export async function turn(work: Work): Promise<void> {
  const { deps, pending, backlog, isKept } = work
  const { store, clock } = deps
  const now = clock.now()
  if (!isKept) {
    await keepMeanwhile(work)
    if (now < work.retryAt && now > work.retryAt - LAST_RETRY_MS) return
  }
  try {
    if (!isKept) {
      await store.open()
      // What has become too full may be so no longer.
      await store.prune(now)
    }
    if (work.frozen !== undefined) await write(work)
    work.frozen = numbered(work, backlog.take())
    if (work.frozen !== undefined) await write(work)
    work.frozen = numbered(work, pending.take())
    if (work.frozen !== undefined) await write(work)
    else if (store.kind === 'postgres' && now - work.lastOkAt >= PING_MS) await store.ping()
    if (now >= work.pruneAt) {
      work.pruneAt = now + PRUNE_MS
      await store.prune(now)
    }
    succeeded(work)
  } catch (error) {
    failed(work, error)
    // What waited already stands there.
    await keepMeanwhile(work, isKept ? work.frozen : undefined)
  }
}

async function write(work: Work): Promise<void> {
  if (work.frozen === undefined) return
  await work.deps.store.write(work.frozen)
  work.frozen = undefined
}

function numbered(work: Work, rows: BatchRows | undefined): HistoryBatch | undefined {
  if (rows === undefined) return undefined
  work.number += 1
  return { ...rows, writer: work.deps.writer, number: work.number }
}

/** What happens while the store cannot be had waits for it, and can be read from memory. */
async function keepMeanwhile(work: Work, lately?: HistoryBatch): Promise<void> {
  const { deps, pending, backlog } = work
  work.standIn ??= deps.standIn()
  const rows = pending.take()
  if (rows !== undefined) backlog.merge(rows)
  const meanwhile = [lately, numbered(work, rows)]
  for (const batch of meanwhile)
    if (batch !== undefined)
      await work.standIn.write(batch).catch((error: unknown) => {
        deps.log.error('history_stand_in_failed', { message: messageOf(error) })
      })
}

function succeeded(work: Work): void {
  const { deps, backlog } = work
  const now = deps.clock.now()
  work.lastOkAt = now
  work.retryMs = FIRST_RETRY_MS
  if (work.isKept) return
  work.isKept = true
  work.since = now
  if (work.standIn === undefined) return
  deps.log.info('history_available', { store: deps.store.kind, dropped_rows: backlog.dropped() })
  const { standIn } = work
  work.standIn = undefined
  standIn.close().catch(() => undefined)
}

/** Said once: until the store is back nothing else is to be heard of it. */
function failed(work: Work, error: unknown): void {
  const { clock, log, store } = work.deps
  const isNews = work.isKept || work.error === ''
  work.error = messageOf(error)
  work.retryAt = clock.now() + work.retryMs
  work.retryMs = Math.min(work.retryMs * 2, LAST_RETRY_MS)
  if (!isNews) return
  if (work.isKept) work.since = clock.now()
  work.isKept = false
  log.warn('history_unavailable', {
    store: store.kind,
    message: work.error,
    effect: 'what happens is kept in memory and written when the store is back',
  })
}

export async function readFrom<Rows>(work: Work, read: (from: Reads) => Promise<Rows>): Promise<Rows> {
  const { store, standIn } = work.deps
  if (work.isKept) {
    try {
      return await read(store)
    } catch (error) {
      failed(work, error)
    }
  }
  work.standIn ??= standIn()
  // It is given up in the moment in which the store is back.
  return read(work.standIn).catch(() => read(store))
}

export function statusOf(work: Work): HistoryStatus {
  const { deps, pending, backlog, frozen } = work
  return {
    kind: deps.store.kind,
    state: work.isKept ? 'kept' : 'waiting',
    since: work.since,
    ...(!work.isKept && work.error !== '' && { error: work.error }),
    waiting: work.isKept ? 0 : pending.size() + backlog.size() + (frozen === undefined ? 0 : 1),
    dropped: pending.dropped() + backlog.dropped(),
  }
}
