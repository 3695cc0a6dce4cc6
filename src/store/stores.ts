import type { Clock } from '../core/clock.ts'
import type { HistoryStore } from '../core/history.ts'
import type { Log } from '../core/log.ts'
import type { Secret } from '../core/secret.ts'
import { createPostgresStore } from './postgres.ts'
import { createSqliteStore } from './sqlite.ts'

/** Where a history may be kept. */
export interface StoresDeps {
  /** `database_url`. */
  readonly url: Secret | undefined
  /** The file, where there is no database; undefined too: in memory. */
  readonly path: string | undefined
  readonly clock: Clock
  readonly log: Log
}

/** The store of a gateway, and what stands in for it while it cannot be had. */
export function createStores({ url, path, clock, log }: StoresDeps): {
  readonly store: HistoryStore
  readonly standIn: () => HistoryStore
} {
  const standIn = (): HistoryStore => createSqliteStore({ clock, log })
  if (url !== undefined) return { store: createPostgresStore({ url, clock }), standIn }
  return { store: path === undefined ? standIn() : createSqliteStore({ path, clock, log }), standIn }
}
