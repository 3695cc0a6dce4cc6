import type { Cancel, Clock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import type { Health } from '../core/health.ts'
import { headLine, layoutOf, modesOf, rowLine, rowNames, rowOf, type Row } from './table.ts'
import type { Terminal } from './terminal.ts'

/** What the table asks of a board. */
interface Verdicts {
  readonly deployments: readonly Deployment[]
  health(index: number): Health
  onChange(listener: (deployment: Deployment, before: Health, after: Health) => void): Cancel
}

/** When and how the table is printed. */
export interface TableSettings {
  /** After this long, milliseconds, the rows still missing are shown as waiting. */
  readonly waitingAfterMs: number
  /** With more deployments than this only the rows of those that are not healthy are printed, and no more than this. */
  readonly mostRows: number
  /** Called once, when every deployment that is checked has its verdict. */
  readonly onComplete?: () => void
}

/**
 * Prints each deployment's first verdict as it arrives, as one table. Start it before the checks; what is never
 * checked must already say so on the board.
 */
export function showFirstVerdicts(
  board: Verdicts,
  deps: { readonly terminal: Terminal; readonly clock: Clock },
  settings: TableSettings,
): Cancel {
  const { terminal, clock } = deps
  const names = rowNames(board.deployments)
  const layout = layoutOf(names, modesOf(board.deployments), terminal.width)
  const isLong = board.deployments.length > settings.mostRows
  const awaited = new Set(board.deployments.filter((deployment) => isAwaited(board, deployment)))
  const counts = { healthy: 0, unhealthy: 0, unchecked: 0 }
  let printed = 0
  const print = (row: Row): void => {
    if (isLong && (row.verdict === 'healthy' || printed >= settings.mostRows)) return
    printed += 1
    terminal.out(rowLine(row, layout, terminal.paint))
  }
  const name = ({ index }: Deployment): string => names[index] ?? ''

  terminal.out(headLine(layout, terminal.paint))
  for (const deployment of board.deployments) {
    if (awaited.has(deployment)) continue
    const health = board.health(deployment.index)
    counts[askedBefore(health)] += 1
    print(rowOf(name(deployment), deployment, health))
  }

  const finish = (): void => {
    stop()
    terminal.out(summary(counts, isLong && printed >= settings.mostRows))
    settings.onComplete?.()
  }
  const unsubscribe = board.onChange((deployment, _, after) => {
    if (after.verdict === undefined || !awaited.delete(deployment)) return
    counts[after.verdict.kind] += 1
    print(rowOf(name(deployment), deployment, after))
    if (awaited.size === 0) finish()
  })
  const stopWaiting = clock.after(settings.waitingAfterMs, () => {
    for (const deployment of awaited) print(waitingRow(name(deployment), deployment))
  })
  const stop: Cancel = () => {
    unsubscribe()
    stopWaiting()
  }
  if (awaited.size === 0) finish()
  return stop
}

function isAwaited(board: Verdicts, { index }: Deployment): boolean {
  const { verdict, reason } = board.health(index)
  return verdict === undefined && reason !== 'checks_disabled'
}

/** What was known before a restart has been asked, if not by this process. */
function askedBefore({ verdict }: Health): 'healthy' | 'unhealthy' | 'unchecked' {
  return verdict === undefined || verdict.requests === 0 ? 'unchecked' : verdict.kind
}

function waitingRow(model: string, deployment: Deployment): Row {
  return { model, mode: deployment.mode, verdict: 'waiting', reason: 'still waiting for an answer' }
}

function summary(counts: { healthy: number; unhealthy: number; unchecked: number }, isCut: boolean): string {
  const parts = [`${counts.healthy} healthy`, `${counts.unhealthy} unhealthy`]
  if (counts.unchecked > 0) parts.push(`${counts.unchecked} not checked`)
  return `${parts.join(', ')}${isCut ? '; the rest of the rows is in GET /health' : ''}`
}
