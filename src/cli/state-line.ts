import { failureWords } from '../core/failure-words.ts'
import type { FailureKind } from '../core/failure.ts'
import type { HealthState } from '../core/health.ts'
import { clip, fit, lengthOf, widest } from './table.ts'
import { oneLine, type Paint, type Tone } from './terminal.ts'

/** Where one deployment stands, as a line of the live table says it. */
export interface StateRow {
  readonly name: string
  readonly state: HealthState
  readonly reason: FailureKind | undefined
  /** How long it has been in this state, milliseconds. */
  readonly ageMs: number
  /** Until it is looked at next, milliseconds; undefined: nothing is planned. */
  readonly nextMs: number | undefined
}

const GAP = '  '
const STATE_WIDTH = '✗ MISCONFIGURED'.length
const TIME_WIDTH = '59 min'.length
const MAX_NAME_WIDTH = 44
const MIN_NAME_WIDTH = 12

/** The sign stands beside the word, so that neither colour nor the sign alone tells the state. */
const SIGNS: Readonly<Record<HealthState, { readonly sign: string; readonly tone: Tone }>> = {
  HEALTHY: { sign: '✓', tone: 'good' },
  UNKNOWN: { sign: '–', tone: 'dim' },
  DEGRADED: { sign: '~', tone: 'wait' },
  RECOVERING: { sign: '↑', tone: 'wait' },
  SUSPECT: { sign: '?', tone: 'wait' },
  SATURATED: { sign: '…', tone: 'wait' },
  DOWN: { sign: '✗', tone: 'bad' },
  MISCONFIGURED: { sign: '✗', tone: 'bad' },
  ISOLATED: { sign: '–', tone: 'dim' },
}

/** The width of the names on a terminal of this width. */
export function nameWidth(names: readonly string[], width: number): number {
  const rest = STATE_WIDTH + 2 * TIME_WIDTH + 4 * GAP.length
  const most = Math.max(Math.floor((width - rest) / 2), MIN_NAME_WIDTH)
  return Math.min(widest(['MODEL', ...names]), MAX_NAME_WIDTH, most)
}

/** The first line of the live table. */
export function stateHead(names: number, width: number, paint: Paint): string {
  const cells = [
    fit('MODEL', names),
    fit('STATE', STATE_WIDTH),
    fit('FOR', TIME_WIDTH),
    fit('NEXT', TIME_WIDTH),
    'REASON',
  ]
  return paint('bold', clip(cells.join(GAP), width))
}

/** One line of the live table, never wider than `width`. */
export function stateLine(row: StateRow, names: number, width: number, paint: Paint): string {
  const { sign, tone } = SIGNS[row.state]
  const left = `${fit(oneLine(row.name), names)}${GAP}`
  const state = fit(`${sign} ${row.state}`, STATE_WIDTH)
  const next = row.nextMs === undefined ? '' : timeText(row.nextMs)
  const both = `${GAP}${fit(timeText(row.ageMs), TIME_WIDTH)}${GAP}${fit(next, TIME_WIDTH)}${GAP}`
  // A line that the terminal wraps would count as two.
  const times = clip(both, width - lengthOf(left + state))
  const room = Math.max(width - lengthOf(left + state + times), 0)
  return `${left}${paint(tone, state)}${times}${clip(reasonWords(row.state, row.reason), room)}`.trimEnd()
}

/** What a transition is, where lines are not drawn again. */
export function transitionLine(name: string, from: HealthState, row: StateRow): string {
  const reason = reasonWords(row.state, row.reason)
  const next = row.nextMs === undefined ? '' : `; next look in ${timeText(row.nextMs)}`
  return `${oneLine(name)}  ${from} → ${row.state}${reason === '' ? '' : `  ${reason}`}${next}`
}

/** The kind first, for it is the word that /health, metrics and docs use. */
function reasonWords(state: HealthState, reason: FailureKind | undefined): string {
  if (reason === undefined) return ''
  return `${state === 'RECOVERING' ? 'after ' : ''}${reason}: ${failureWords(reason)}`
}

function timeText(ms: number): string {
  const seconds = Math.max(Math.round(ms / 1000), 0)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 60 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}
