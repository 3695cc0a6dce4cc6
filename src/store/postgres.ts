import type { Clock } from '../core/clock.ts'
import type { HistoryStore } from '../core/history.ts'
import type { Secret } from '../core/secret.ts'
import { openPostgres } from './postgres-pool.ts'
import type { Database } from './postgres-pool.ts'
import { readChecks, readIncidents, readLatest, readStandings, readUptime } from './postgres-reads.ts'
import { migrate, prune, writeBatch } from './postgres-writes.ts'

/** What a store in PostgreSQL needs. */
export interface PostgresDeps {
  /** `database_url`. */
  readonly url: Secret
  readonly clock: Pick<Clock, 'now'>
}

/** A frozen database is noticed within a check and this, milliseconds: together less than five seconds. */
const PATIENCE = { connectMs: 2000, queryMs: 2500 }
/** One writes, the others read and ask whether it is there. */
const CONNECTIONS = 3

/** A history in PostgreSQL; replicas may share one. Its tables are made when it is opened. */
export function createPostgresStore({ url, clock }: PostgresDeps): HistoryStore {
  let opening: Promise<Database> | undefined
  let isMade = false

  async function database(): Promise<Database> {
    opening ??= openPostgres(url.reveal(), PATIENCE, CONNECTIONS)
    const opened = await opening
    if (!isMade) await migrate(opened)
    isMade = true
    return opened
  }

  /** The database's own words may repeat the address, and who is in it. */
  async function told<Result>(run: (database: Database) => Promise<Result>): Promise<Result> {
    try {
      return await run(await database())
    } catch (error) {
      throw new Error(sentenceOf(error), { cause: error })
    }
  }

  return {
    kind: 'postgres',
    open: () => told(() => Promise.resolve()),
    write: (batch) => told((opened) => writeBatch(opened, batch, clock.now())),
    ping: () => told(async (opened) => void (await opened.query('SELECT 1'))),
    standings: () => told(readStandings),
    checks: (query) => told((opened) => readChecks(opened, query)),
    latest: () => told(readLatest),
    uptime: (query) => told((opened) => readUptime(opened, query)),
    incidents: (query) => told((opened) => readIncidents(opened, query)),
    prune: (now) => told((opened) => prune(opened, now)),
    close: async () => {
      const opened = await opening?.catch(() => undefined)
      opening = undefined
      isMade = false
      await opened?.close()
    },
  }
}

/** Several addresses that were tried make an error without words of its own. */
function sentenceOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '')
    return error.errors.map((each) => sentenceOf(each)).join('; ')
  return error instanceof Error && error.message !== '' ? error.message : String(error)
}
