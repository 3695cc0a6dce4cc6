import type { FailureKind } from './failure.ts'
import type { HealthState } from './health.ts'

/** A deployment as the history knows it. */
export interface KeptDeployment {
  /** What it is and where it leads: `health/identity.ts`. */
  readonly identity: string
  readonly id: string
  readonly group: string
  readonly model: string
}

/** What happened to one deployment within five minutes, added up. Times are milliseconds since 1970. */
export interface Fold {
  readonly identity: string
  /** When the five minutes begin. */
  readonly at: number
  readonly ok: number
  readonly failed: number
  /** How long the successes took together. */
  readonly tookMs: number
  /** When the newest success came; 0: none. */
  readonly lastAt: number
  /** How long it could be asked, and how long it could not. What is in neither is not known. */
  readonly upMs: number
  readonly downMs: number
}

/** One probe that failed. */
export interface KeptFailure {
  readonly identity: string
  readonly at: number
  readonly reason: FailureKind
  /** LiteLLM's `exception_status`. */
  readonly status: number
  /** Redacted, one line. */
  readonly error: string
  readonly tookMs: number
}

/** One change of state. */
export interface KeptTransition {
  readonly identity: string
  readonly at: number
  readonly from: HealthState
  readonly to: HealthState
  readonly reason?: FailureKind
  readonly error?: string
}

/** The beginning of an incident: from now on it cannot be asked. */
export interface Opening {
  readonly identity: string
  readonly at: number
  readonly cause: FailureKind
  /** What the newest failed call said; redacted. */
  readonly evidence: string
}

/** The end of whatever incident of this deployment is open. */
export interface Closing {
  readonly identity: string
  readonly at: number
}

/** Health as `HealthChecks.save` gave it, for the next process. */
export interface KeptStanding {
  readonly identity: string
  readonly at: number
  /** JSON. */
  readonly plain: string
}

/** What is written at once: all of it or nothing. */
export interface HistoryBatch {
  /** Who writes: one running gateway. Its batches are numbered; one that was written already is not written again. */
  readonly writer: string
  readonly number: number
  /** All that the rest speaks of. */
  readonly deployments: readonly KeptDeployment[]
  readonly folds: readonly Fold[]
  readonly failures: readonly KeptFailure[]
  readonly transitions: readonly KeptTransition[]
  readonly openings: readonly Opening[]
  readonly closings: readonly Closing[]
  readonly standings: readonly KeptStanding[]
}

/** A failed probe, or the successes of five minutes. */
export interface CheckRow {
  /** Unique within a store. */
  readonly key: string
  readonly identity: string
  readonly id: string
  readonly group: string
  readonly at: number
  readonly ok: number
  /** Mean of those that are counted here. */
  readonly tookMs: number
  readonly failure?: { readonly reason: string; readonly status: number; readonly error: string }
}

/** Which rows are wanted, newest first. */
export interface CheckQuery {
  /** A group, an id or a model. */
  readonly name?: string
  readonly status?: 'healthy' | 'unhealthy'
  readonly limit: number
  readonly offset: number
}

/** Whose past is wanted: of a group, an id or a model; absent: of all. */
export interface PastQuery {
  readonly name?: string
  readonly now: number
}

/** One incident. */
export interface IncidentRow {
  readonly identity: string
  readonly id: string
  readonly group: string
  readonly openedAt: number
  /** Absent: it is not over. */
  readonly closedAt?: number
  readonly cause: string
  readonly evidence: string
}

/** The windows that uptime is told of, by their names. */
export const UPTIME_WINDOWS = { '24h': 86_400_000, '7d': 7 * 86_400_000, '30d': 30 * 86_400_000 } as const
/** One of them. */
export type UptimeWindow = keyof typeof UPTIME_WINDOWS

/** How long one deployment could be asked within a window, and how long it could not. */
export interface UptimeRow {
  readonly identity: string
  readonly id: string
  readonly group: string
  readonly window: UptimeWindow
  readonly upMs: number
  readonly downMs: number
}

/** What a gateway remembers. Whoever cannot keep a promise rejects with a sentence for the operator. */
export interface HistoryStore {
  readonly kind: 'memory' | 'sqlite' | 'postgres'
  /** Makes it ready, its tables included; may be called again after a failure. */
  open(): Promise<void>
  write(batch: HistoryBatch): Promise<void>
  /** Resolves where it would take a write now. */
  ping(): Promise<void>
  standings(): Promise<readonly KeptStanding[]>
  checks(query: CheckQuery): Promise<readonly CheckRow[]>
  /** The newest row of each deployment. */
  latest(): Promise<readonly CheckRow[]>
  uptime(query: PastQuery): Promise<readonly UptimeRow[]>
  /** The newest incidents, `most` of them. */
  incidents(query: PastQuery & { readonly most: number }): Promise<readonly IncidentRow[]>
  /** Throws away what is older than is kept. */
  prune(now: number): Promise<void>
  /** Gives everything up, waiting or not; nothing may be called afterwards. */
  close(): Promise<void>
}

/** How long rows are kept, milliseconds. */
export const KEPT_MS = {
  transitions: 7 * 86_400_000,
  failures: 7 * 86_400_000,
  incidents: 396 * 86_400_000,
  standings: 7 * 86_400_000,
} as const

/** Folds are kept at three widths, each for its own time, milliseconds. */
export const FOLD_WIDTHS = [
  { widthMs: 300_000, keptMs: 48 * 3_600_000 },
  { widthMs: 3_600_000, keptMs: 30 * 86_400_000 },
  { widthMs: 86_400_000, keptMs: 396 * 86_400_000 },
] as const

/** A stretch of folds of one width, `from` included and `to` not. */
export interface FoldSpan {
  readonly widthMs: number
  readonly from: number
  readonly to: number
}

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

/** The folds that make up a window until now: whole days where there are any, and hours before them. */
export function spansOf(windowMs: number, now: number): readonly FoldSpan[] {
  const start = Math.floor((now - windowMs) / HOUR_MS) * HOUR_MS
  const firstDay = Math.ceil(start / DAY_MS) * DAY_MS
  const end = now + DAY_MS
  if (windowMs <= DAY_MS) return [{ widthMs: HOUR_MS, from: start, to: end }]
  return [
    { widthMs: HOUR_MS, from: start, to: firstDay },
    { widthMs: DAY_MS, from: firstDay, to: end },
  ]
}
