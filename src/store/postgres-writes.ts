import { FOLD_WIDTHS, KEPT_MS } from '../core/history.ts'
import type { HistoryBatch } from '../core/history.ts'
import { MIGRATIONS } from './postgres-tables.ts'
import type { Database, Query } from './postgres-pool.ts'

/** Replicas that start together make the tables one after the other. */
const MIGRATION_LOCK = 4_221_873_501
const WRITER_KEPT_MS = 7 * 86_400_000

/** Makes the tables, or those that an older version lacked. */
export async function migrate(database: Database): Promise<void> {
  await database.transaction(async (query) => {
    await query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK])
    await query('CREATE TABLE IF NOT EXISTS pulsegate_version (version INTEGER NOT NULL)')
    const [row] = await query('SELECT max(version) AS version FROM pulsegate_version')
    const version = typeof row?.['version'] === 'number' ? row['version'] : 0
    if (version > MIGRATIONS.length)
      throw new Error(`its tables were made by a newer version of this program (${version})`)
    for (const [index, sql] of MIGRATIONS.entries()) {
      if (index < version) continue
      await query(sql)
      await query('INSERT INTO pulsegate_version (version) VALUES ($1)', [index + 1])
    }
  })
}

const NUMBERED = `INSERT INTO pulsegate_writers AS w (writer, number, at) VALUES ($1, $2, $3)
  ON CONFLICT (writer) DO UPDATE SET number = excluded.number, at = excluded.at WHERE excluded.number > w.number RETURNING 1 AS is_new`
const NAMED = `INSERT INTO pulsegate_deployments (identity, model_id, model_group, model)
  SELECT DISTINCT ON (identity) identity, id, "group", model FROM jsonb_to_recordset($1::jsonb) AS r(identity text, id text, "group" text, model text)
  ORDER BY identity ON CONFLICT (identity) DO NOTHING`
const WIDTHS = FOLD_WIDTHS.map(({ widthMs }) => `(${widthMs}::bigint)`).join(', ')
const FOLDED = `INSERT INTO pulsegate_folds AS f (width, n, at, ok, failed, took, last_at, up, down)
  SELECT w.width, d.n, r.at / w.width * w.width, sum(r.ok), sum(r.failed), round(sum(r."tookMs")), max(r."lastAt"), round(sum(r."upMs")), round(sum(r."downMs"))
  FROM jsonb_to_recordset($1::jsonb) AS r(identity text, at bigint, ok bigint, failed bigint, "tookMs" numeric, "lastAt" bigint, "upMs" numeric, "downMs" numeric)
  JOIN pulsegate_deployments d USING (identity) CROSS JOIN (VALUES ${WIDTHS}) w(width)
  GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
  ON CONFLICT (width, n, at) DO UPDATE SET ok = f.ok + excluded.ok, failed = f.failed + excluded.failed,
  took = f.took + excluded.took, last_at = greatest(f.last_at, excluded.last_at), up = f.up + excluded.up, down = f.down + excluded.down`
const FAILED = `INSERT INTO pulsegate_failures (at, n, reason, status, error, took)
  SELECT r.at, d.n, r.reason, r.status, r.error, round(r."tookMs")
  FROM jsonb_to_recordset($1::jsonb) AS r(identity text, at bigint, reason text, status integer, error text, "tookMs" numeric)
  JOIN pulsegate_deployments d USING (identity)`
const MOVED = `INSERT INTO pulsegate_transitions (at, n, was, became, reason, error)
  SELECT r.at, d.n, r."from", r."to", r.reason, r.error
  FROM jsonb_to_recordset($1::jsonb) AS r(identity text, at bigint, "from" text, "to" text, reason text, error text)
  JOIN pulsegate_deployments d USING (identity)`
const OPENED = `INSERT INTO pulsegate_incidents (n, opened_at, cause, evidence)
  SELECT n, $2, $3, $4 FROM pulsegate_deployments WHERE identity = $1 ON CONFLICT DO NOTHING`
const CLOSED = `UPDATE pulsegate_incidents SET closed_at = $2 WHERE closed_at IS NULL AND opened_at <= $2
  AND n = (SELECT n FROM pulsegate_deployments WHERE identity = $1)`
const STOOD = `INSERT INTO pulsegate_standings AS s (n, at, plain)
  SELECT d.n, r.at, r.plain FROM jsonb_to_recordset($1::jsonb) AS r(identity text, at bigint, plain text)
  JOIN pulsegate_deployments d USING (identity) ORDER BY d.n
  ON CONFLICT (n) DO UPDATE SET at = excluded.at, plain = excluded.plain WHERE excluded.at >= s.at`

/** Writes a batch, once. Rows are in one order everywhere, so that replicas never wait for each other in a circle. */
export async function writeBatch(database: Database, batch: HistoryBatch, now: number): Promise<void> {
  await database.transaction(async (query) => {
    const isNew = await query(NUMBERED, [batch.writer, batch.number, now])
    if (isNew.length === 0) return
    await writeRows(query, NAMED, batch.deployments)
    await writeRows(query, FOLDED, batch.folds)
    await writeRows(query, FAILED, batch.failures)
    await writeRows(query, MOVED, batch.transitions)
    await writeIncidents(query, batch)
    await writeRows(query, STOOD, batch.standings)
  })
}

/** PostgreSQL's texts have no NUL; an upstream's error may. */
async function writeRows(query: Query, sql: string, rows: readonly object[]): Promise<void> {
  if (rows.length === 0) return
  const withoutNul = (_: string, value: unknown): unknown =>
    typeof value === 'string' ? value.replaceAll('\0', '') : value
  await query(sql, [JSON.stringify(rows, withoutNul)])
}

/** In the order in which they happened. */
async function writeIncidents(query: Query, { openings, closings }: HistoryBatch): Promise<void> {
  const events = [
    ...openings.map((opening) => ({
      at: opening.at,
      sql: OPENED,
      values: [opening.identity, opening.at, opening.cause, opening.evidence.replaceAll('\0', '')],
    })),
    ...closings.map(({ identity, at }) => ({ at, sql: CLOSED, values: [identity, at] })),
  ].sort((a, b) => a.at - b.at)
  for (const { sql, values } of events) await query(sql, values)
}

/** Throws away what is too old. */
export async function prune(database: Database, now: number): Promise<void> {
  const { failures, transitions, incidents, standings } = KEPT_MS
  await database.query('DELETE FROM pulsegate_failures WHERE at < $1', [now - failures])
  await database.query('DELETE FROM pulsegate_transitions WHERE at < $1', [now - transitions])
  await database.query('DELETE FROM pulsegate_standings WHERE at < $1', [now - standings])
  await database.query('DELETE FROM pulsegate_writers WHERE at < $1', [now - WRITER_KEPT_MS])
  await database.query('DELETE FROM pulsegate_incidents WHERE opened_at < $1 AND closed_at IS NOT NULL', [
    now - incidents,
  ])
  for (const { widthMs, keptMs } of FOLD_WIDTHS)
    await database.query('DELETE FROM pulsegate_folds WHERE width = $1 AND at < $2', [widthMs, now - keptMs])
}
