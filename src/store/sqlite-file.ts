import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { FOLD_WIDTHS, KEPT_MS } from '../core/history.ts'
import type { HistoryBatch } from '../core/history.ts'
import { numberOf } from './rows.ts'
import type { DeskSettings } from './sqlite-calls.ts'
import { MIGRATIONS } from './sqlite-tables.ts'

/** An open database, and its statements, each prepared once. */
export interface SqliteFile {
  readonly database: DatabaseSync
  readonly statement: (sql: string) => StatementSync
}

/** How large the file may become. */
export interface SizeCap {
  readonly bytes: number
}

const PAGE_BYTES = 4096
/** Above this share of the cap, what is kept is shortened. */
const FULL_SHARE = 0.9
const MOST_HALVINGS = 8
const WRITER_KEPT_MS = 7 * 86_400_000

/** Makes the tables ready. @throws the database's error, or ours where a newer program wrote the file */
export function prepareFile(database: DatabaseSync, { cap, busyMs }: DeskSettings): SqliteFile {
  database.exec(`PRAGMA busy_timeout = ${busyMs}`)
  database.exec(`PRAGMA page_size = ${PAGE_BYTES}`)
  database.exec('PRAGMA auto_vacuum = INCREMENTAL')
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = NORMAL')
  // Kilobytes, where it is negative: what is read is read once.
  database.exec('PRAGMA cache_size = -512')
  database.exec('PRAGMA journal_size_limit = 4194304')
  database.exec(`PRAGMA max_page_count = ${Math.floor(cap.bytes / PAGE_BYTES)}`)
  migrate(database)
  const statements = new Map<string, StatementSync>()
  return {
    database,
    statement: (sql) => {
      const known = statements.get(sql) ?? database.prepare(sql)
      statements.set(sql, known)
      return known
    },
  }
}

function migrate(database: DatabaseSync): void {
  const version = numberOf(database.prepare('PRAGMA user_version').get()?.['user_version'])
  if (version > MIGRATIONS.length)
    throw new Error(
      `it was written by a newer version of this program (its tables are of version ${version})`,
    )
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index < version) continue
    inTransaction(database, () => {
      // Somebody else may have come first.
      if (numberOf(database.prepare('PRAGMA user_version').get()?.['user_version']) > index) return
      database.exec(`${sql}; PRAGMA user_version = ${index + 1}`)
    })
  }
}

/** Runs all of it or nothing. */
export function inTransaction(database: DatabaseSync, run: () => void): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    run()
    database.exec('COMMIT')
  } catch (error) {
    // A full disk has rolled it back already.
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

const NUMBERED =
  'INSERT INTO writers (writer, number, at) VALUES (?, ?, ?) ON CONFLICT (writer) DO UPDATE SET number = excluded.number, at = excluded.at WHERE excluded.number > number'
const NAMED =
  'INSERT INTO deployments (identity, model_id, model_group, model) VALUES (?, ?, ?, ?) ON CONFLICT (identity) DO NOTHING'
const NUMBER_OF = 'SELECT n FROM deployments WHERE identity = ?'
const FOLDED = `INSERT INTO folds (width, n, at, ok, failed, took, last_at, up, down) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (width, n, at) DO UPDATE SET ok = ok + excluded.ok, failed = failed + excluded.failed,
  took = took + excluded.took, last_at = max(last_at, excluded.last_at), up = up + excluded.up, down = down + excluded.down`
/** The same is said again and again: each text is kept once. */
const SAID = 'INSERT INTO texts (text) VALUES (?) ON CONFLICT (text) DO NOTHING'
const FAILED =
  'INSERT INTO failures (at, n, reason, status, text_n, took) SELECT ?, ?, ?, ?, t.text_n, ? FROM texts t WHERE t.text = ?'
const MOVED = 'INSERT INTO transitions (at, n, was, became, reason, error) VALUES (?, ?, ?, ?, ?, ?)'
const OPENED =
  'INSERT INTO incidents (n, opened_at, cause, evidence) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING'
const CLOSED = 'UPDATE incidents SET closed_at = ? WHERE n = ? AND closed_at IS NULL AND opened_at <= ?'
const STOOD =
  'INSERT INTO standings (n, at, plain) VALUES (?, ?, ?) ON CONFLICT (n) DO UPDATE SET at = excluded.at, plain = excluded.plain WHERE excluded.at >= at'

/** Writes a batch, once. */
export function writeBatch({ database, statement }: SqliteFile, batch: HistoryBatch, now: number): void {
  inTransaction(database, () => {
    if (statement(NUMBERED).run(batch.writer, batch.number, now).changes === 0) return
    const numbers = new Map<string, number>()
    for (const { identity, id, group, model } of batch.deployments)
      statement(NAMED).run(identity, id, group, model)
    const numberFor = (identity: string): number => {
      const number = numbers.get(identity) ?? numberOf(statement(NUMBER_OF).get(identity)?.['n'])
      numbers.set(identity, number)
      return number
    }
    writeFolds(statement(FOLDED), batch, numberFor)
    for (const { identity, at, reason, status, error, tookMs } of batch.failures) {
      statement(SAID).run(error)
      statement(FAILED).run(at, numberFor(identity), reason, status, Math.round(tookMs), error)
    }
    for (const { identity, at, from, to, reason = null, error = null } of batch.transitions)
      statement(MOVED).run(at, numberFor(identity), from, to, reason, error)
    writeIncidents({ database, statement }, batch, numberFor)
    for (const { identity, at, plain } of batch.standings)
      statement(STOOD).run(numberFor(identity), at, plain)
  })
}

function writeFolds(
  folded: StatementSync,
  { folds }: HistoryBatch,
  numberFor: (identity: string) => number,
): void {
  for (const { identity, at, ok, failed, tookMs, lastAt, upMs, downMs } of folds)
    for (const { widthMs } of FOLD_WIDTHS) {
      const start = at - (at % widthMs)
      folded.run(
        widthMs,
        numberFor(identity),
        start,
        ok,
        failed,
        Math.round(tookMs),
        lastAt,
        Math.round(upMs),
        Math.round(downMs),
      )
    }
}

/** In the order in which they happened: within one batch one may end and the next begin. */
function writeIncidents(
  { statement }: SqliteFile,
  { openings, closings }: HistoryBatch,
  numberFor: (identity: string) => number,
): void {
  const events = [
    ...openings.map((opening) => ({ at: opening.at, opening, closing: undefined })),
    ...closings.map((closing) => ({ at: closing.at, opening: undefined, closing })),
  ].sort((a, b) => a.at - b.at)
  for (const { at, opening, closing } of events) {
    if (opening !== undefined)
      statement(OPENED).run(numberFor(opening.identity), at, opening.cause, opening.evidence)
    if (closing !== undefined) statement(CLOSED).run(at, numberFor(closing.identity), at)
  }
}

/** Throws away what is too old, and of a file near its cap ever more of the rest. */
export function pruneFile(file: SqliteFile, cap: SizeCap, now: number): void {
  const { database } = file
  for (let halvings = 0; halvings <= MOST_HALVINGS; halvings += 1) {
    pruneOlder(file, now, 1 / 2 ** halvings)
    database.exec('PRAGMA incremental_vacuum')
    if (usedBytes(database) < FULL_SHARE * cap.bytes) break
  }
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
}

function pruneOlder({ database, statement }: SqliteFile, now: number, share: number): void {
  const before = (keptMs: number): number => Math.round(now - keptMs * share)
  inTransaction(database, () => {
    statement('DELETE FROM failures WHERE at < ?').run(before(KEPT_MS.failures))
    statement('DELETE FROM texts WHERE text_n NOT IN (SELECT text_n FROM failures)').run()
    statement('DELETE FROM transitions WHERE at < ?').run(before(KEPT_MS.transitions))
    statement('DELETE FROM incidents WHERE opened_at < ? AND closed_at IS NOT NULL').run(
      before(KEPT_MS.incidents),
    )
    statement('DELETE FROM standings WHERE at < ?').run(before(KEPT_MS.standings))
    statement('DELETE FROM writers WHERE at < ?').run(now - WRITER_KEPT_MS)
    for (const { widthMs, keptMs } of FOLD_WIDTHS)
      statement(
        'DELETE FROM folds WHERE (width, n, at) IN (SELECT f.width, f.n, f.at FROM deployments d CROSS JOIN folds f WHERE f.width = ? AND f.n = d.n AND f.at < ?)',
      ).run(widthMs, before(keptMs))
    statement(FORGOTTEN).run()
  })
}

/** Nothing is left of it. */
const FORGOTTEN = `DELETE FROM deployments WHERE NOT EXISTS (SELECT 1 FROM folds f WHERE f.width = 86400000 AND f.n = deployments.n)
  AND NOT EXISTS (SELECT 1 FROM failures x WHERE x.n = deployments.n)
  AND NOT EXISTS (SELECT 1 FROM standings s WHERE s.n = deployments.n)
  AND n NOT IN (SELECT n FROM incidents) AND n NOT IN (SELECT n FROM transitions)`

function usedBytes(database: DatabaseSync): number {
  const pages = numberOf(database.prepare('PRAGMA page_count').get()?.['page_count'])
  const free = numberOf(database.prepare('PRAGMA freelist_count').get()?.['freelist_count'])
  return (pages - free) * PAGE_BYTES
}
