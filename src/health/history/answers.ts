import type { CheckRow, IncidentRow, UptimeRow } from '../../core/history.ts'
import type { HistoryStatus } from './keeping.ts'

/** One row of GET /health/history: LiteLLM's fields, then ours. */
export interface HistoryEntry {
  readonly health_check_id: string
  readonly model_name: string
  readonly model_id: string
  readonly status: 'healthy' | 'unhealthy'
  /** Successes that this row stands for, and failures: one, or none. */
  readonly healthy_count: number
  readonly unhealthy_count: number
  readonly error_message: string | null
  /** Of several successes their mean. */
  readonly response_time_ms: number | null
  readonly details: null
  readonly checked_by: 'background_health_check'
  /** Of several successes the newest, ISO 8601. */
  readonly checked_at: string
  readonly created_at: string
  /** Only of failures. */
  readonly reason?: string
  readonly exception_status?: number
}

/** One incident: a time in which a deployment could not be asked. */
export interface IncidentEntry {
  readonly model_name: string
  readonly model_id: string
  readonly opened_at: string
  /** Null: it is not over. */
  readonly closed_at: string | null
  readonly duration_seconds: number
  readonly cause: string
  /** What the newest failed call said. */
  readonly evidence: string | null
}

/** How much of the known time of each window a deployment could be asked, percent; null: nothing is known of it. */
export interface UptimeEntry {
  readonly model_name: string
  readonly model_id: string
  readonly '24h': number | null
  readonly '7d': number | null
  readonly '30d': number | null
}

/** How the store is. */
export interface StoreEntry {
  readonly kind: string
  readonly state: 'kept' | 'waiting'
  readonly since: string
  readonly error?: string
  readonly waiting_rows: number
  readonly dropped_rows: number
}

/** Without details nobody learns what an upstream said. */
export interface ShownPast {
  readonly details: boolean
}

/** A row. */
export function historyEntry(row: CheckRow, { details }: ShownPast): HistoryEntry {
  const { key, group, id, at, ok, tookMs, failure } = row
  const checkedAt = new Date(at).toISOString()
  return {
    health_check_id: key,
    model_name: group,
    model_id: id,
    status: failure === undefined ? 'healthy' : 'unhealthy',
    healthy_count: ok,
    unhealthy_count: failure === undefined ? 0 : 1,
    error_message: details ? (failure?.error ?? null) : null,
    response_time_ms: Math.round(tookMs),
    details: null,
    checked_by: 'background_health_check',
    checked_at: checkedAt,
    created_at: checkedAt,
    ...(failure !== undefined && { reason: failure.reason, exception_status: failure.status }),
  }
}

/** An incident. */
export function incidentEntry(row: IncidentRow, now: number, { details }: ShownPast): IncidentEntry {
  const { group, id, openedAt, closedAt, cause, evidence } = row
  return {
    model_name: group,
    model_id: id,
    opened_at: new Date(openedAt).toISOString(),
    closed_at: closedAt === undefined ? null : new Date(closedAt).toISOString(),
    duration_seconds: Math.max(0, Math.round(((closedAt ?? now) - openedAt) / 1000)),
    cause,
    evidence: details && evidence !== '' ? evidence : null,
  }
}

/** A line for each deployment, in the order in which they come. */
export function uptimeEntries(rows: readonly UptimeRow[]): readonly UptimeEntry[] {
  const entries = new Map<string, UptimeEntry>()
  for (const { identity, id, group, window, upMs, downMs } of rows) {
    const known = entries.get(identity) ?? { model_name: group, model_id: id, ...NOTHING_KNOWN }
    entries.set(identity, { ...known, [window]: percent(upMs, downMs) })
  }
  return [...entries.values()]
}

const NOTHING_KNOWN = { '24h': null, '7d': null, '30d': null } as const

/** Rounded down: 100 is said only of what was never down. */
function percent(upMs: number, downMs: number): number | null {
  const knownMs = upMs + downMs
  return knownMs === 0 ? null : Math.floor((upMs / knownMs) * 100_000) / 1000
}

/** How the store is, for readers. */
export function storeEntry({ kind, state, since, error, waiting, dropped }: HistoryStatus): StoreEntry {
  return {
    kind,
    state,
    since: new Date(since).toISOString(),
    ...(error !== undefined && { error }),
    waiting_rows: waiting,
    dropped_rows: dropped,
  }
}
