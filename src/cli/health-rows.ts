import { FAILURE_KINDS } from '../core/failure.ts'
import { isJsonObject } from '../core/json.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { reasonText, rowNames, type Row } from './table.ts'

/** One deployment of a report, for a table or for JUnit. */
export interface ReportRow extends Row {
  readonly group: string
  readonly id: string
  /** What the report says of the failure, whole. */
  readonly error?: string
}

const LISTS = [
  ['unhealthy_endpoints', 'unhealthy'],
  ['healthy_endpoints', 'healthy'],
  ['unknown_endpoints', 'not checked'],
] as const

/** The entries of a report of GET /health, the sick ones first. */
export function reportRows(report: JsonObject): readonly ReportRow[] {
  const entries = LISTS.flatMap(([list, verdict]) =>
    listOf(report[list]).map((entry) => ({ entry, verdict })),
  )
  const names = rowNames(
    entries.map(({ entry }) => ({ group: groupOf(entry), model: text(entry['model']) ?? '' })),
  )
  return entries.map(({ entry, verdict }, at) => {
    const latencyMs = entry['latency_ms']
    const error = text(entry['error'])
    const row = {
      model: names[at] ?? '',
      group: groupOf(entry),
      id: text(entry['model_id']) ?? '',
      mode: text(entry['mode']) ?? '',
      verdict,
      reason: reasonOf(entry, verdict === 'unhealthy'),
    }
    const measured = typeof latencyMs === 'number' ? { latencyMs } : {}
    return Object.assign(row, measured, error === undefined ? {} : { error })
  })
}

/** Without details an entry has no group, and its model must do. */
function groupOf(entry: JsonObject): string {
  return text(entry['model_name']) ?? text(entry['model']) ?? ''
}

function reasonOf(entry: JsonObject, isUnhealthy: boolean): string {
  const state = text(entry['health_state'])
  if (state === 'ISOLATED') return text(entry['error']) ?? state
  const kind = FAILURE_KINDS.find((each) => each === entry['reason'])
  const status = entry['exception_status']
  if (isUnhealthy) {
    const number = typeof status === 'number' ? status : undefined
    return kind === undefined ? [state, number].join(' ') : reasonText(kind, number)
  }
  const isLimping = state !== undefined && state !== 'HEALTHY' && state !== 'UNKNOWN'
  const words = kind === undefined ? '' : reasonText(kind, undefined)
  return isLimping ? [state, words].filter((part) => part !== '').join(': ') : words
}

function listOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((each) => isJsonObject(each)) : []
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
