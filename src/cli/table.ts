import { shownMode } from '../core/deployment.ts'
import type { Deployment } from '../core/deployment.ts'
import { failureRow, type FailureKind } from '../core/failure.ts'
import type { Health } from '../core/health.ts'
import { oneLine, type Paint, type Tone } from './terminal.ts'

/** One line of the table, before it is laid out. */
export interface Row {
  readonly model: string
  readonly mode: string
  readonly verdict: 'healthy' | 'unhealthy' | 'waiting' | 'not checked'
  readonly latencyMs?: number
  readonly reason: string
}

/** The widths of the first four columns, and how wide a line may be. */
export interface Layout {
  readonly model: number
  readonly mode: number
  readonly width: number
}

const GAP = '  '
const VERDICT_WIDTH = '✗ unhealthy'.length
const LATENCY_WIDTH = '9999 ms'.length
const MAX_MODEL_WIDTH = 40
/** Room for a kind and its number: `misconfigured (500)`. */
const MIN_REASON_WIDTH = 19
const MIN_MODEL_WIDTH = 12

/** The sign stands beside the word, so that neither colour nor the sign alone tells the verdict. */
const SIGNS: Readonly<Record<Row['verdict'], { readonly text: string; readonly tone: Tone }>> = {
  healthy: { text: '✓ healthy', tone: 'good' },
  unhealthy: { text: '✗ unhealthy', tone: 'bad' },
  waiting: { text: '… waiting', tone: 'wait' },
  'not checked': { text: '– unchecked', tone: 'dim' },
}

/** The name that tells a deployment from the others: its group, and its model where the group has several. */
export function rowNames(deployments: readonly Pick<Deployment, 'group' | 'model'>[]): readonly string[] {
  const sizes = new Map<string, number>()
  for (const { group } of deployments) sizes.set(group, (sizes.get(group) ?? 0) + 1)
  return deployments.map(({ group, model }) => ((sizes.get(group) ?? 0) > 1 ? `${group} (${model})` : group))
}

/** A deployment's health as a line of the table. */
export function rowOf(name: string, deployment: Deployment, health: Health): Row {
  const { verdict } = health
  const mode = shownMode(deployment)
  if (verdict === undefined) {
    const reason = health.reason === undefined ? '' : reasonText(health.reason, undefined)
    return { model: name, mode, verdict: 'not checked', reason }
  }
  const latency = verdict.requests === 0 ? {} : { latencyMs: verdict.latencyMs }
  if (verdict.kind === 'healthy') {
    const reason = verdict.probedModel === deployment.model ? '' : `probed as ${verdict.probedModel}`
    return { model: name, mode, verdict: 'healthy', ...latency, reason }
  }
  const reason = reasonText(verdict.reason, verdict.exceptionStatus, deployment.misconfigured?.message)
  return { model: name, mode, verdict: 'unhealthy', ...latency, reason }
}

/** The kind first, for it is the word that /health, metrics and docs use; then the number and what to do. */
export function reasonText(kind: FailureKind, status: number | undefined, said?: string): string {
  return `${kind}${status === undefined ? '' : ` (${status})`}: ${said ?? failureRow(kind).fix}`
}

/** What each is asked for. */
export function modesOf(deployments: readonly Deployment[]): readonly string[] {
  return deployments.map(shownMode)
}

/** Column widths for these deployments on a terminal of this width. */
export function layoutOf(names: readonly string[], modes: readonly string[], width: number): Layout {
  const mode = widest(['MODE', ...modes])
  const rest = mode + VERDICT_WIDTH + LATENCY_WIDTH + MIN_REASON_WIDTH + 4 * GAP.length
  const model = Math.min(
    widest(['MODEL', ...names]),
    MAX_MODEL_WIDTH,
    Math.max(width - rest, MIN_MODEL_WIDTH),
  )
  return { model, mode, width }
}

/** The length of the longest. */
export function widest(texts: readonly string[]): number {
  return texts.reduce((width, text) => Math.max(width, lengthOf(text)), 0)
}

/** The table's first line. */
export function headLine(layout: Layout, paint: Paint): string {
  const cells = [
    fit('MODEL', layout.model),
    fit('MODE', layout.mode),
    fit('VERDICT', VERDICT_WIDTH),
    'LATENCY'.padStart(LATENCY_WIDTH),
    'REASON',
  ]
  return paint('bold', clip(cells.join(GAP), layout.width).trimEnd())
}

/** One line of the table; never wider than the layout says, whatever the reason is. */
export function rowLine(row: Row, layout: Layout, paint: Paint): string {
  const sign = SIGNS[row.verdict]
  const latency = row.latencyMs === undefined ? '' : duration(row.latencyMs)
  const left = `${fit(oneLine(row.model), layout.model)}${GAP}${fit(row.mode, layout.mode)}${GAP}`
  const middle = fit(sign.text, VERDICT_WIDTH)
  const right = `${GAP}${latency.padStart(LATENCY_WIDTH)}${GAP}`
  const used = lengthOf(left + middle + right)
  const reason = clip(oneLine(row.reason), Math.max(layout.width - used, 0))
  return `${left}${paint(sign.tone, middle)}${right}${reason}`.trimEnd()
}

function duration(ms: number): string {
  return ms < 9999.5 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** Cut or padded to exactly `width` characters. */
export function fit(text: string, width: number): string {
  const cut = clip(text, width)
  return cut + ' '.repeat(width - lengthOf(cut))
}

/** At most `width` characters, the last one an ellipsis where something was cut. */
export function clip(text: string, width: number): string {
  const characters = Array.from(text)
  if (characters.length <= width) return text
  return width <= 0 ? '' : `${characters.slice(0, width - 1).join('')}…`
}

/** In characters, not UTF-16 units. */
export function lengthOf(text: string): number {
  return Array.from(text).length
}

/** A text in lines of at most `width` characters; a longer word has a line of its own. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (longer.length > width && line !== '') lines.push(line)
    line = longer.length > width ? word : longer
  }
  return [...lines, line]
}
