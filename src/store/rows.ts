import { FOLD_WIDTHS } from '../core/history.ts'
import type { CheckRow, IncidentRow, KeptStanding, UptimeWindow } from '../core/history.ts'

/** The width of the folds that successes are read from. */
export const NARROW = FOLD_WIDTHS[0].widthMs
/** Whose row it is, as it is read; `d`: the table of deployments. */
export const DEPLOYMENT = 'd.identity, d.model_id, d.model_group'
/** Of uptime, in the order in which they are shown. */
export const WINDOWS: readonly UptimeWindow[] = ['24h', '7d', '30d']

/** A row as a database gives it. */
export type Row = Readonly<Record<string, unknown>>

/** A number of a row; 0 where there is none. */
export function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

/** A text of a row; empty where there is none. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** Whose row it is. */
export function namesOf(row: Row): Pick<CheckRow, 'identity' | 'id' | 'group'> {
  return { identity: textOf(row['identity']), id: textOf(row['model_id']), group: textOf(row['model_group']) }
}

/** A check. */
export function checkRow(row: Row): CheckRow {
  const { key, at, ok, took, reason, status, error } = row
  return {
    ...namesOf(row),
    key: textOf(key),
    at: numberOf(at),
    ok: numberOf(ok),
    tookMs: numberOf(took),
    ...(typeof reason === 'string' && {
      failure: { reason, status: numberOf(status), error: textOf(error) },
    }),
  }
}

/** An incident. */
export function incidentRow(row: Row): IncidentRow {
  return {
    ...namesOf(row),
    openedAt: numberOf(row['opened_at']),
    ...(typeof row['closed_at'] === 'number' && { closedAt: row['closed_at'] }),
    cause: textOf(row['cause']),
    evidence: textOf(row['evidence']),
  }
}

/** A standing. */
export function standingRow(row: Row): KeptStanding {
  return { identity: textOf(row['identity']), at: numberOf(row['at']), plain: textOf(row['plain']) }
}

/** A page of two lists that are each newest first. */
export function pageOf(
  good: readonly Row[],
  bad: readonly Row[],
  { limit, offset }: { readonly limit: number; readonly offset: number },
): readonly CheckRow[] {
  return [...good, ...bad]
    .map(checkRow)
    .sort((a, b) => b.at - a.at)
    .slice(offset, offset + limit)
}

/** Of each deployment its newest row. */
export function newestOf(rows: readonly Row[]): readonly CheckRow[] {
  const newest = new Map<string, CheckRow>()
  for (const row of rows.map(checkRow)) {
    const known = newest.get(row.identity)
    if (known === undefined || known.at <= row.at) newest.set(row.identity, row)
  }
  return [...newest.values()]
}
