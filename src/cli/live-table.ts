import type { Cancel, Clock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import type { Health } from '../core/health.ts'
import { nameWidth, stateHead, stateLine, transitionLine, type StateRow } from './state-line.ts'
import { rowNames } from './table.ts'
import type { Screen, Terminal } from './terminal.ts'

/** What the live table asks of a gateway. */
export interface Watched {
  readonly deployments: readonly Deployment[]
  health(index: number): Health
  /** When it is looked at next, milliseconds since 1970; undefined: nothing is planned. */
  nextCheckAt(index: number): number | undefined
  onChange(listener: Listener): Cancel
}

type Listener = (deployment: Deployment, before: Health, after: Health) => void

/** What the table says besides. */
export interface LiveTableSettings {
  /** Its last line; what has happened so far. */
  readonly footer: () => string
}

/** A burst of transitions is one picture. */
const LEAST_GAP_MS = 100
/** Times are counted on at least so often. */
const REDRAW_MS = 1000
/** Lines of the terminal that are left to what is typed and to other output. */
const SPARE_LINES = 2

interface Deps {
  readonly terminal: Terminal
  readonly clock: Clock
}

/**
 * Shows where every deployment stands from now on: on a terminal as one table that is drawn again in place, else as
 * one line for each transition.
 */
export function showLiveTable(watched: Watched, deps: Deps, settings: LiveTableSettings): Cancel {
  const { terminal } = deps
  const names = rowNames(watched.deployments)
  const rowAt = (index: number): StateRow => rowOf(watched, names[index] ?? '', index, deps.clock)
  if (terminal.screen === undefined) return printTransitions(watched, rowAt, deps, settings)
  const picture = (): readonly string[] => pictureOf(watched, names, rowAt, terminal, settings)
  return redraw(watched, terminal.screen, picture, deps.clock)
}

function rowOf(watched: Watched, name: string, index: number, clock: Clock): StateRow {
  const { state, reason, since } = watched.health(index)
  const now = clock.now()
  const nextAt = watched.nextCheckAt(index)
  return {
    name,
    state,
    reason,
    ageMs: now - since,
    nextMs: nextAt === undefined ? undefined : Math.max(nextAt - now, 0),
  }
}

/** The next look is planned after listeners have heard of a transition: each line waits for the next turn. */
function printTransitions(
  watched: Watched,
  rowAt: (index: number) => StateRow,
  { terminal, clock }: Deps,
  { footer }: LiveTableSettings,
): Cancel {
  const unsubscribe = onTransition(watched, ({ index }, before, { state, reason }) => {
    const time = new Date(clock.now()).toISOString().slice(11, 19)
    clock.after(0, () => {
      const row = { ...rowAt(index), state, reason }
      terminal.out(`${time}  ${transitionLine(row.name, before.state, row)}`)
    })
  })
  return () => {
    unsubscribe()
    terminal.out(footer())
  }
}

function onTransition(watched: Watched, listener: Listener): Cancel {
  return watched.onChange((deployment, before, after) => {
    if (before.state !== after.state) listener(deployment, before, after)
  })
}

function pictureOf(
  { deployments }: Watched,
  names: readonly string[],
  rowAt: (index: number) => StateRow,
  { screen, width, paint }: Terminal,
  { footer }: LiveTableSettings,
): readonly string[] {
  const column = nameWidth(names, width)
  const room = Math.max((screen?.height() ?? 0) - SPARE_LINES - 2, 1)
  const shown = deployments.slice(0, deployments.length > room ? room - 1 : room)
  const left = deployments.length - shown.length
  return [
    stateHead(column, width, paint),
    ...shown.map(({ index }) => stateLine(rowAt(index), column, width, paint)),
    ...(left > 0 ? [paint('dim', `… and ${left} more`)] : []),
    paint('dim', footer().slice(0, width)),
  ]
}

function redraw(watched: Watched, screen: Screen, picture: () => readonly string[], clock: Clock): Cancel {
  let drawn = 0
  let cancelTimer: Cancel = () => {}
  let isPressing = false
  const draw = (): void => {
    const lines = picture()
    screen.draw(lines, drawn)
    drawn = lines.length
    isPressing = false
    cancelTimer()
    cancelTimer = clock.after(REDRAW_MS, draw)
  }
  const unsubscribe = onTransition(watched, () => {
    if (isPressing) return
    isPressing = true
    cancelTimer()
    cancelTimer = clock.after(LEAST_GAP_MS, draw)
  })
  draw()
  return () => {
    unsubscribe()
    cancelTimer()
    screen.draw(picture(), drawn)
  }
}
