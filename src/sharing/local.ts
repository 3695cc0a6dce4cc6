import type { Clock } from '../core/clock.ts'
import { blankRow, claimed, committed, merged } from './ledger.ts'
import type { Sharing, SharedRow, SharingListener } from './sharing.ts'

/** What the store in memory needs. */
interface LocalDeps {
  readonly clock: Pick<Clock, 'elapsed'>
  /** This replica's own name. */
  readonly self: string
  /** Never twice the same, and not to be guessed. */
  readonly newNonce: () => string
}

/**
 * Sharing with nobody: the rules as they are, in memory. A gateway whose store does not answer goes on with it. Rows are
 * bounded by the identities that are asked for.
 */
export function createLocalSharing({ clock, self, newNonce }: LocalDeps): Sharing {
  const rows = new Map<string, SharedRow>()
  const listeners = new Set<SharingListener>()
  const of = (id: string): SharedRow => rows.get(id) ?? blankRow(id)
  const set = (row: SharedRow): void => {
    rows.set(row.id, row)
    for (const listener of listeners) listener.changed(row)
  }
  return {
    kind: 'local',
    isUp: () => true,
    claim: (id, leaseMs) => {
      const claim = claimed(of(id), { by: self, nonce: newNonce(), leaseMs }, clock.elapsed())
      if (claim.kind === 'granted') set(claim.row)
      return Promise.resolve(claim)
    },
    commit: (id, nonce, outcome, dueAt) => {
      const { epoch } = of(id)
      const row = committed(of(id), { by: self, nonce, epoch, outcome, dueAt }, clock.elapsed())
      if (row === undefined) return Promise.resolve({ kind: 'superseded', row: of(id) })
      set(row)
      return Promise.resolve({ kind: 'committed', row })
    },
    evidence: (notes) => {
      for (const note of notes) {
        const row = merged(of(note.id), note, self, clock.elapsed())
        if (row !== rows.get(note.id)) set(row)
      }
      return Promise.resolve()
    },
    snapshot: (ids) => Promise.resolve(ids.flatMap((id) => rows.get(id) ?? [])),
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    members: () => Promise.resolve([self]),
    start: () => {
      for (const listener of listeners) listener.up()
    },
    stop: () => Promise.resolve(),
  }
}
