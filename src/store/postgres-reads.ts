import { spansOf, UPTIME_WINDOWS } from '../core/history.ts'
import type {
  CheckQuery,
  CheckRow,
  IncidentRow,
  KeptStanding,
  PastQuery,
  UptimeRow,
} from '../core/history.ts'
import type { Database } from './postgres-pool.ts'
import {
  DEPLOYMENT,
  incidentRow,
  namesOf,
  newestOf,
  numberOf,
  pageOf,
  standingRow,
  NARROW,
  WINDOWS,
} from './rows.ts'

/** $1: a name, or nothing. */
const NAMED = '($1::text IS NULL OR d.model_group = $1 OR d.model_id = $1 OR d.model = $1)'
const GOOD = `SELECT 's' || f.n || '-' || f.at AS key, ${DEPLOYMENT}, f.last_at::float8 AS at, f.ok::float8 AS ok,
  (f.took / f.ok)::float8 AS took, NULL::text AS reason, NULL::integer AS status, NULL::text AS error
  FROM pulsegate_folds f JOIN pulsegate_deployments d ON d.n = f.n WHERE f.width = ${NARROW} AND f.ok > 0 AND ${NAMED}`
const BAD = `SELECT 'f' || x.id AS key, ${DEPLOYMENT}, x.at::float8 AS at, 0::float8 AS ok, x.took::float8 AS took,
  x.reason, x.status, x.error
  FROM pulsegate_failures x JOIN pulsegate_deployments d ON d.n = x.n WHERE ${NAMED}`

/** Rows newest first. */
export async function readChecks(database: Database, query: CheckQuery): Promise<readonly CheckRow[]> {
  const { name = null, status, limit, offset } = query
  const most = limit + offset
  const good =
    status === 'unhealthy'
      ? []
      : await database.query(`${GOOD} ORDER BY f.last_at DESC LIMIT $2`, [name, most])
  const bad =
    status === 'healthy' ? [] : await database.query(`${BAD} ORDER BY x.at DESC LIMIT $2`, [name, most])
  return pageOf(good, bad, query)
}

/** The newest row of each deployment: of each kind the newest, found by its index. */
export async function readLatest(database: Database): Promise<readonly CheckRow[]> {
  const good = `SELECT g.* FROM pulsegate_deployments e CROSS JOIN LATERAL (${GOOD} AND f.n = e.n ORDER BY f.at DESC LIMIT 1) g`
  const bad = `SELECT b.* FROM pulsegate_deployments e CROSS JOIN LATERAL (${BAD} AND x.n = e.n ORDER BY x.at DESC LIMIT 1) b`
  return newestOf([...(await database.query(good, [null])), ...(await database.query(bad, [null]))])
}

/** Up and down by window. */
export async function readUptime(database: Database, query: PastQuery): Promise<readonly UptimeRow[]> {
  const { name = null, now } = query
  const found: UptimeRow[] = []
  for (const window of WINDOWS) {
    const [first, second = first] = spansOf(UPTIME_WINDOWS[window], now)
    if (first === undefined || second === undefined) continue
    const spans = [first.widthMs, first.from, first.to, second.widthMs, second.from, second.to]
    const rows = await database.query(
      `SELECT ${DEPLOYMENT}, sum(f.up)::float8 AS up, sum(f.down)::float8 AS down
       FROM pulsegate_deployments d JOIN pulsegate_folds f ON f.n = d.n
       AND ((f.width = $2 AND f.at >= $3 AND f.at < $4) OR (f.width = $5 AND f.at >= $6 AND f.at < $7))
       WHERE ${NAMED} GROUP BY d.n, ${DEPLOYMENT}`,
      [name, ...spans],
    )
    for (const row of rows)
      found.push({ ...namesOf(row), window, upMs: numberOf(row['up']), downMs: numberOf(row['down']) })
  }
  return found
}

/** The newest incidents. */
export async function readIncidents(
  database: Database,
  query: PastQuery & { readonly most: number },
): Promise<readonly IncidentRow[]> {
  const { name = null, most } = query
  const rows = await database.query(
    `SELECT ${DEPLOYMENT}, i.opened_at::float8 AS opened_at, i.closed_at::float8 AS closed_at, i.cause, i.evidence
     FROM pulsegate_incidents i JOIN pulsegate_deployments d ON d.n = i.n WHERE ${NAMED} ORDER BY i.opened_at DESC LIMIT $2`,
    [name, most],
  )
  return rows.map(incidentRow)
}

/** What every deployment stood at. */
export async function readStandings(database: Database): Promise<readonly KeptStanding[]> {
  const rows = await database.query(
    'SELECT d.identity, s.at::float8 AS at, s.plain FROM pulsegate_standings s JOIN pulsegate_deployments d ON d.n = s.n',
  )
  return rows.map(standingRow)
}
