import type { Cancel, Clock } from '../../core/clock.ts'
import type { Deployment } from '../../core/deployment.ts'
import type { Was } from '../../core/was.ts'
import { within } from '../../core/within.ts'
import type { Board } from '../board.ts'
import type { DatabaseFact } from '../readiness.ts'
import type { Saving } from '../saved-health.ts'
import { createWork, open, readFrom, statusOf, takeOver, turn } from './keeping.ts'
import type { HistoryDeps, HistoryStatus, Reads } from './keeping.ts'
import { createKeptNames } from './kept-names.ts'
import { createRecorder } from './recorder.ts'
import type { Recorder } from './recorder.ts'

/** What a gateway remembers, and how that is going. Nobody's request ever waits for it. */
export interface History {
  /**
   * What happens to these is written from now on; what happened before to those that are called as they were, by `was`,
   * goes on, and that of the others ends.
   */
  follow(subjects: Subjects, was?: Was): void
  /**
   * Opens the store and takes over what was known before; resolves when that is done or has taken too long. What comes
   * later is taken over all the same, where nothing has been learned meanwhile.
   */
  restore(): Promise<void>
  /** Writes once a second from now on. */
  start(): void
  /** Writes what is left, within a bound, and gives the store up. */
  stop(): Promise<void>
  /** Reads: from the store, or while that cannot be had from memory. */
  readonly read: Reads
  status(): HistoryStatus
  /** The database, where it is one, as readiness tells of it. */
  database(): DatabaseFact
}

/** The deployments of one config, and how they are. */
export interface Subjects {
  readonly board: Pick<Board, 'deployments' | 'health' | 'onChange'>
  readonly saving: Saving
  readonly identity: (deployment: Deployment) => string
}

const TICK_MS = 1000
/** A start waits no longer for what was known before; a stop no longer for what is left to write. */
const RESTORE_MS = 1000
const STOP_MS = 3000

/** Makes a history of nobody yet; nothing is opened or written. */
export function createHistory(deps: HistoryDeps): History {
  const { store, clock } = deps
  const work = createWork(deps)
  const { pending } = work
  let recorder: Recorder | undefined
  let cancelTick: Cancel = () => {}
  let running: Promise<void> = Promise.resolve()
  let isStopped = false
  let isBegun = false

  function arm(): void {
    if (isStopped) return
    cancelTick = clock.after(TICK_MS, () => {
      recorder?.tick()
      running = turn(work).then(arm)
    })
  }

  return {
    follow: ({ board, saving, identity }, was = () => undefined) => {
      const names = createKeptNames(board.deployments, identity, work.scene && { ...work.scene, was })
      const records = recorder?.handOver()
      work.scene = { board, saving, names }
      recorder = createRecorder({ ...work.scene, pending, clock }, records && { records, was })
    },
    restore: () => {
      isBegun = true
      const restoring = open(work).then((standings) => takeOver(work, standings))
      // Memory has nothing to tell.
      return store.kind === 'memory' ? Promise.resolve() : waitFor(clock, RESTORE_MS, restoring)
    },
    start: arm,
    stop: async () => {
      isStopped = true
      cancelTick()
      recorder?.stop()
      if (!isBegun) return
      recorder?.finish()
      work.retryAt = 0
      await waitFor(
        clock,
        STOP_MS,
        running.then(() => turn(work)),
      )
      const { waiting } = statusOf(work)
      if (waiting > 0) deps.log.warn('history_rows_lost', { store: store.kind, rows: waiting })
      await waitFor(clock, STOP_MS, Promise.all([store.close(), work.standIn?.close()]))
    },
    read: {
      checks: (query) => readFrom(work, (from) => from.checks(query)),
      latest: () => readFrom(work, (from) => from.latest()),
      uptime: (query) => readFrom(work, (from) => from.uptime(query)),
      incidents: (query) => readFrom(work, (from) => from.incidents(query)),
    },
    status: () => statusOf(work),
    database: () => {
      if (store.kind !== 'postgres') return { kind: 'none' }
      return work.isKept ? { kind: 'connected', checkedAt: work.lastOkAt } : { kind: 'unreachable' }
    },
  }
}

/** Waits for the work, but not for longer than that. Rejects never. */
async function waitFor(clock: Pick<Clock, 'after'>, ms: number, work: Promise<unknown>): Promise<void> {
  await within(clock, ms, work, 'it takes too long').catch(() => undefined)
}
