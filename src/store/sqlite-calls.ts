import type {
  CheckQuery,
  CheckRow,
  HistoryBatch,
  IncidentRow,
  KeptStanding,
  PastQuery,
  UptimeRow,
} from '../core/history.ts'
import type { SizeCap } from './sqlite-file.ts'

/** What a desk is opened with. */
export interface DeskSettings {
  /** Absent: in memory. */
  readonly path?: string
  readonly cap: SizeCap
  /** So long it waits for another process that holds the file, milliseconds. */
  readonly busyMs: number
}

/** What a desk is asked. */
export type Call =
  | { readonly name: 'open' | 'ping' | 'standings' | 'latest' | 'close' }
  | { readonly name: 'write'; readonly batch: HistoryBatch }
  | { readonly name: 'checks'; readonly query: CheckQuery }
  | { readonly name: 'uptime'; readonly query: PastQuery }
  | { readonly name: 'incidents'; readonly query: PastQuery & { readonly most: number } }
  | { readonly name: 'prune'; readonly now: number }

/** What was read, under the name of the call that asked. */
export interface Found {
  readonly standings?: readonly KeptStanding[]
  readonly checks?: readonly CheckRow[]
  readonly uptime?: readonly UptimeRow[]
  readonly incidents?: readonly IncidentRow[]
}

/** What it answers. */
export type Answer =
  | { readonly kind: 'done'; readonly found: Found }
  | { readonly kind: 'failed'; readonly message: string }
  /** The file was corrupt and is now out of the way: the same call again begins a new one. */
  | { readonly kind: 'moved'; readonly message: string; readonly aside: string }
