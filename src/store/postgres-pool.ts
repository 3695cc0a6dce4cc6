import type { Pool, PoolClient, PoolConfig } from 'pg'
import { postgresAddress } from '../core/postgres-address.ts'
import type { Row } from './rows.ts'

/** Asks a database. Every await has a deadline; whoever misses it loses the connection. */
export interface Database {
  /** One statement, on any connection. */
  query(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>
  /** Statements on one connection, between BEGIN and COMMIT: all or nothing. */
  transaction(run: (query: Query) => Promise<void>): Promise<void>
  /** Gives up every connection; what runs is not waited for longer than a moment. */
  close(): Promise<void>
}

/** One statement of a transaction. */
export type Query = (sql: string, values?: readonly unknown[]) => Promise<readonly Row[]>

/** Deadlines, milliseconds. */
export interface DatabasePatience {
  readonly connectMs: number
  readonly queryMs: number
}

const CLOSE_MS = 1000

/** Opens a pool of few connections; none is made before it is needed. `url`: as LiteLLM's `database_url`. */
export async function openPostgres(url: string, patience: DatabasePatience, most: number): Promise<Database> {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({
    ...postgresAddress(url),
    ...patienceOf(patience),
    max: most,
    allowExitOnIdle: true,
  })
  // An idle connection that breaks is simply not used again.
  pool.on('error', () => undefined)
  return {
    query: (sql, values = []) => lent(pool, async (client) => rowsOf(await client.query(sql, [...values]))),
    transaction: (run) =>
      lent(pool, async (client) => {
        await client.query('BEGIN')
        await run(async (sql, values = []) => rowsOf(await client.query(sql, [...values])))
        await client.query('COMMIT')
      }),
    close: () => closed(pool),
  }
}

/** A connection on which something failed is closed: the server then rolls back what it had begun. */
async function lent<Result>(pool: Pool, use: (client: PoolClient) => Promise<Result>): Promise<Result> {
  const client = await pool.connect()
  client.on('error', ignored)
  let isWell = false
  try {
    const result = await use(client)
    isWell = true
    return result
  } finally {
    client.removeListener('error', ignored)
    client.release(!isWell)
  }
}

/** It also rejects the query that runs, and that is where it is told of. */
function ignored(): void {}

function rowsOf({ rows }: { readonly rows: readonly Row[] }): readonly Row[] {
  return rows
}

function patienceOf({ connectMs, queryMs }: DatabasePatience): PoolConfig {
  return {
    connectionTimeoutMillis: connectMs,
    query_timeout: queryMs,
    statement_timeout: queryMs,
    keepAlive: true,
    application_name: 'pulsegate',
  }
}

async function closed(pool: Pool): Promise<void> {
  const patience = new Promise<void>((resolve) => void setTimeout(resolve, CLOSE_MS).unref())
  await Promise.race([pool.end(), patience])
}
