import { spansOf, UPTIME_WINDOWS } from '../core/history.ts'
import type {
  CheckQuery,
  CheckRow,
  IncidentRow,
  KeptStanding,
  PastQuery,
  UptimeRow,
  UptimeWindow,
} from '../core/history.ts'
import {
  DEPLOYMENT,
  incidentRow,
  namesOf,
  newestOf,
  numberOf,
  pageOf,
  standingRow,
  textOf,
  NARROW,
  WINDOWS,
} from './rows.ts'
import type { Row } from './rows.ts'
import type { SqliteFile } from './sqlite-file.ts'

/** ?1: a name, or nothing. */
const NAMED = '(?1 IS NULL OR d.model_group = ?1 OR d.model_id = ?1 OR d.model = ?1)'

const GOOD = `SELECT 's' || f.n || '-' || f.at AS key, ${DEPLOYMENT}, f.last_at AS at, f.ok, f.took / f.ok AS took,
  NULL AS reason, NULL AS status, NULL AS error`
const BAD = `SELECT 'f' || x.rowid AS key, ${DEPLOYMENT}, x.at, 0 AS ok, x.took, x.reason, x.status,
  (SELECT t.text FROM texts t WHERE t.text_n = x.text_n) AS error`
const GOOD_ONES = `f.n = d.n AND f.width = ${NARROW} AND f.ok > 0`

/** Of all: the newest are the first of an index. Of one name: few deployments, whose rows lie together. */
const PAGES = {
  all: {
    good: `${GOOD} FROM folds f INDEXED BY folds_recent CROSS JOIN deployments d WHERE ${GOOD_ONES} AND ${NAMED}`,
    bad: `${BAD} FROM failures x INDEXED BY failures_at CROSS JOIN deployments d WHERE d.n = x.n AND ${NAMED}`,
  },
  named: {
    good: `${GOOD} FROM deployments d CROSS JOIN folds f WHERE ${GOOD_ONES} AND ${NAMED}`,
    bad: `${BAD} FROM deployments d CROSS JOIN failures x INDEXED BY failures_of WHERE d.n = x.n AND ${NAMED}`,
  },
} as const

/** Rows newest first. Both kinds are read in their own order and merged, so that no page sorts everything. */
export function readChecks({ statement }: SqliteFile, query: CheckQuery): readonly CheckRow[] {
  const { name = null, status, limit, offset } = query
  const most = limit + offset
  const { good, bad } = name === null ? PAGES.all : PAGES.named
  const found = (sql: string, column: string): readonly Row[] =>
    statement(`${sql} ORDER BY ${column} DESC LIMIT ?2`).all(name, most)
  return pageOf(
    status === 'unhealthy' ? [] : found(good, 'f.last_at'),
    status === 'healthy' ? [] : found(bad, 'x.at'),
    query,
  )
}

/** The newest row of each deployment. */
export function readLatest({ statement }: SqliteFile): readonly CheckRow[] {
  const { good, bad } = PAGES.named
  const goodOnes = statement(`${good.replace('f.last_at AS at', 'max(f.last_at) AS at')} GROUP BY d.n`).all(
    null,
  )
  const badOnes = statement(`${bad.replace(', x.at,', ', max(x.at) AS at,')} GROUP BY d.n`).all(null)
  return newestOf([...goodOnes, ...badOnes])
}

/** Up and down by window. */
export function readUptime({ statement }: SqliteFile, query: PastQuery): readonly UptimeRow[] {
  const { name = null, now } = query
  const found: UptimeRow[] = []
  for (const window of WINDOWS) {
    const sums = new Map<string, UptimeRow>()
    for (const { widthMs, from, to } of spansOf(UPTIME_WINDOWS[window], now)) {
      const rows = statement(
        `SELECT ${DEPLOYMENT}, sum(f.up) AS up, sum(f.down) AS down FROM deployments d CROSS JOIN folds f
         WHERE ${NAMED} AND f.width = ?2 AND f.n = d.n AND f.at >= ?3 AND f.at < ?4 GROUP BY d.n`,
      ).all(name, widthMs, from, to)
      for (const row of rows) addUptime(sums, row, window)
    }
    found.push(...sums.values())
  }
  return found
}

function addUptime(sums: Map<string, UptimeRow>, row: Row, window: UptimeWindow): void {
  const identity = textOf(row['identity'])
  const known = sums.get(identity)
  sums.set(identity, {
    ...namesOf(row),
    window,
    upMs: numberOf(row['up']) + (known?.upMs ?? 0),
    downMs: numberOf(row['down']) + (known?.downMs ?? 0),
  })
}

/** The newest incidents. */
export function readIncidents(
  { statement }: SqliteFile,
  query: PastQuery & { readonly most: number },
): readonly IncidentRow[] {
  const { name = null, most } = query
  return statement(
    `SELECT ${DEPLOYMENT}, i.opened_at, i.closed_at, i.cause, i.evidence
     FROM incidents i JOIN deployments d ON d.n = i.n WHERE ${NAMED} ORDER BY i.opened_at DESC LIMIT ?2`,
  )
    .all(name, most)
    .map(incidentRow)
}

/** What every deployment stood at. */
export function readStandings({ statement }: SqliteFile): readonly KeptStanding[] {
  return statement('SELECT d.identity, s.at, s.plain FROM standings s JOIN deployments d ON d.n = s.n')
    .all()
    .map(standingRow)
}
