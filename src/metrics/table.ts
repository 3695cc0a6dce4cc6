import { FAILURE_KINDS } from '../core/failure.ts'
import type { FailureKind } from '../core/failure.ts'

/** One metric: what Prometheus is told of it. */
export interface MetricRow {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** One sentence, without a full stop. */
  readonly help: string
  /** What is counted or measured in. */
  readonly unit: string
  readonly labels: readonly string[]
  /** Upper bounds, ascending; the last bucket, without one, is not listed. */
  readonly buckets?: readonly number[]
}

/** How a request ended: `ok`, or the kind of its failure. */
export type Outcome = 'ok' | FailureKind

/** All of them, in the order of their numbers. */
export const OUTCOMES: readonly Outcome[] = ['ok', ...FAILURE_KINDS]

const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]

/** Every metric there is. docs/metrics.md is written from this table. */
export const METRICS = {
  requests: {
    name: 'pulsegate_requests_total',
    type: 'counter',
    help: 'Requests to a model that are over, by the group asked for, the provider asked last, and how they ended',
    unit: 'requests',
    labels: ['model_group', 'provider', 'operation', 'outcome'],
  },
  duration: {
    name: 'pulsegate_request_duration_seconds',
    type: 'histogram',
    help: 'From a request to the last byte of its answer, failed ones included',
    unit: 'seconds',
    labels: ['provider', 'operation'],
    buckets: SECONDS,
  },
  firstToken: {
    name: 'pulsegate_time_to_first_token_seconds',
    type: 'histogram',
    help: 'From the attempt that answered to the first event of its stream; comments are no events',
    unit: 'seconds',
    labels: ['provider', 'operation'],
    buckets: SECONDS,
  },
  tokens: {
    name: 'pulsegate_tokens_total',
    type: 'counter',
    help: 'Tokens that answers said they cost, by the group asked for; `direction` is in or out',
    unit: 'tokens',
    labels: ['model_group', 'direction'],
  },
  retries: {
    name: 'pulsegate_retries_total',
    type: 'counter',
    help: 'Attempts after the first within a model group',
    unit: 'attempts',
    labels: [],
  },
  fallbacks: {
    name: 'pulsegate_fallbacks_total',
    type: 'counter',
    help: 'Times that a request moved on to another model group',
    unit: 'times',
    labels: [],
  },
  hedges: {
    name: 'pulsegate_hedges_total',
    type: 'counter',
    help: 'Times that a slow request was sent to a second deployment as well',
    unit: 'times',
    labels: [],
  },
  refused: {
    name: 'pulsegate_refused_total',
    type: 'counter',
    help: 'Requests refused at the door, before their body was read, by why',
    unit: 'requests',
    labels: ['reason'],
  },
  inFlight: {
    name: 'pulsegate_requests_in_flight',
    type: 'gauge',
    help: 'Requests to a model that are under way',
    unit: 'requests',
    labels: [],
  },
  lag: {
    name: 'pulsegate_event_loop_lag_seconds',
    type: 'histogram',
    help: 'How late a timer of 100 ms ran: all that the process does waits as long',
    unit: 'seconds',
    labels: [],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
  },
  reloads: {
    name: 'pulsegate_config_reloads_total',
    type: 'counter',
    help: 'Times that the config was read again, by the result: taken, refused or unchanged',
    unit: 'times',
    labels: ['result'],
  },
  configTaken: {
    name: 'pulsegate_config_taken_timestamp_seconds',
    type: 'gauge',
    help: 'When the config that is served with was taken, seconds since 1970',
    unit: 'seconds',
    labels: [],
  },
  configIsCurrent: {
    name: 'pulsegate_config_last_reload_successful',
    type: 'gauge',
    help: '0 where the config was refused when it was last read, so that the one before is served with; else 1',
    unit: 'boolean',
    labels: [],
  },
  droppedLogLines: {
    name: 'pulsegate_log_lines_dropped_total',
    type: 'counter',
    help: 'Log lines thrown away because nobody took them fast enough',
    unit: 'lines',
    labels: [],
  },
  resident: {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    help: 'Memory that the process holds',
    unit: 'bytes',
    labels: [],
  },
  heap: {
    name: 'nodejs_heap_size_used_bytes',
    type: 'gauge',
    help: 'Of it, JavaScript objects that are in use',
    unit: 'bytes',
    labels: [],
  },
} as const satisfies Readonly<Record<string, MetricRow>>
