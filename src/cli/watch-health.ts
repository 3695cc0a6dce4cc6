import { FAILURE_KINDS } from '../core/failure.ts'
import { HEALTH_STATES, type HealthState } from '../core/health.ts'
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import { AskError } from './ask.ts'
import { followEvents, type GatewayEvent } from './follow-events.ts'
import type { GatewayThere } from './gateway-there.ts'
import type { Shell } from './shell.ts'
import { nameWidth, stateHead, stateLine, transitionLine, type StateRow } from './state-line.ts'
import { rowNames } from './table.ts'

/** Where a deployment stands, as the gateway told it last. */
interface Standing extends Pick<StateRow, 'name' | 'state' | 'reason'> {
  /** Milliseconds since 1970. */
  readonly since: number
}

/** What is known, by `model_id`, and how it is shown. */
interface Watch {
  readonly shell: Shell
  readonly known: Map<string, Standing>
  drawn: number
  note: string
}

/** As the gateway asks of its readers. */
const AGAIN_MS = 3000
const REDRAW_MS = 1000
const SPARE_LINES = 2

/**
 * Follows the health of a gateway until the process is asked to end: on a terminal one table that is drawn again in
 * place, else a line for each deployment and then one for each change. A lost connection is made again.
 * @throws AskError where no gateway answers at first
 */
export async function watchHealth(gateway: GatewayThere, shell: Shell): Promise<void> {
  const { terminal, clock } = shell
  const watch: Watch = { shell, known: new Map(), drawn: 0, note: '' }
  const stopping = new AbortController()
  const stopped = shell.stopAsked().then(() => stopping.abort())
  const { signal } = stopping
  let lastId: string | undefined
  let cancel = (): void => {}
  const redraw = (): void => {
    // Before the first answer there is nothing to show.
    if (lastId !== undefined) draw(watch)
    cancel = clock.after(REDRAW_MS, redraw)
  }
  const onEvent = (event: GatewayEvent, id: string): void => {
    lastId = id
    watch.note = ''
    take(watch, event)
    if (terminal.screen !== undefined) draw(watch)
  }
  // Timers alone do not keep the process: the connection does, and while there is none, this.
  const alive = setInterval(() => undefined, REDRAW_MS)
  try {
    if (terminal.screen !== undefined) redraw()
    while (!signal.aborted) {
      try {
        await followEvents(gateway, { lastId, signal, onEvent })
      } catch (error) {
        if (!(error instanceof AskError) || lastId === undefined) throw error
      }
      if (signal.aborted) break
      lost(watch, gateway)
      await Promise.race([stopped, new Promise<void>((done) => void clock.after(AGAIN_MS, done))])
    }
  } finally {
    clearInterval(alive)
    cancel()
  }
}

/** Said once for each loss. */
function lost(watch: Watch, { url }: GatewayThere): void {
  const note = `the connection to ${url} is lost; asking again every ${AGAIN_MS / 1000} s`
  if (watch.note === '' && watch.shell.terminal.screen === undefined)
    watch.shell.terminal.err(`pulsegate: ${note}`)
  watch.note = note
}

function take({ known, shell }: Watch, { name, data }: GatewayEvent): void {
  const { terminal, clock } = shell
  const isDrawn = terminal.screen !== undefined
  if (name === 'snapshot') {
    const entries = Array.isArray(data['deployments'])
      ? data['deployments'].filter((each) => isJsonObject(each))
      : []
    const names = rowNames(
      entries.map((each) => ({ group: groupOf(each), model: text(each['model']) ?? '' })),
    )
    known.clear()
    entries.forEach((each, at) => {
      known.set(
        text(each['model_id']) ?? '',
        standingOf(each, names[at] ?? '', each['health_state'], clock.now()),
      )
    })
    if (isDrawn) return
    for (const line of linesOf(known, terminal, clock.now(), known.size)) terminal.out(line)
    return
  }
  const id = text(data['model_id']) ?? ''
  const before = known.get(id)
  const after = standingOf(data, before?.name ?? groupOf(data), data['to'], clock.now())
  known.set(id, after)
  if (isDrawn) return
  const time = text(data['at'])?.slice(11, 19) ?? ''
  terminal.out(`${time}  ${transitionLine(after.name, stateOf(data['from']), rowOf(after, clock.now()))}`)
}

function standingOf(data: JsonObject, name: string, state: Json | undefined, now: number): Standing {
  const since = Date.parse(text(data['since']) ?? '')
  return {
    name,
    state: stateOf(state),
    reason: FAILURE_KINDS.find((each) => each === data['reason']),
    since: Number.isNaN(since) ? now : since,
  }
}

function draw(watch: Watch): void {
  const { shell, known, note } = watch
  const { terminal, clock } = shell
  const { screen, paint, width } = terminal
  if (screen === undefined) return
  const room = Math.max(screen.height() - SPARE_LINES - 2, 1)
  const footer = note === '' ? `${known.size} deployments; Ctrl-C ends` : note
  const lines = [...linesOf(known, terminal, clock.now(), room), paint('dim', footer.slice(0, width))]
  screen.draw(lines, watch.drawn)
  watch.drawn = lines.length
}

/** The sick ones first, so that they are seen where not all fit. */
function linesOf(
  known: Watch['known'],
  { width, paint }: Shell['terminal'],
  now: number,
  room: number,
): readonly string[] {
  const all = [...known.values()]
  const isWell = ({ state }: Standing): boolean => state === 'HEALTHY' || state === 'UNKNOWN'
  const sorted = [...all.filter((each) => !isWell(each)), ...all.filter(isWell)]
  const shown = sorted.slice(0, sorted.length > room ? Math.max(room - 1, 1) : room)
  const names = nameWidth(
    all.map(({ name }) => name),
    width,
  )
  const left = sorted.length - shown.length
  return [
    stateHead(names, width, paint),
    ...shown.map((each) => stateLine(rowOf(each, now), names, width, paint)),
    ...(left > 0 ? [paint('dim', `… and ${left} more`)] : []),
  ]
}

function rowOf({ since, ...standing }: Standing, now: number): StateRow {
  return { ...standing, ageMs: Math.max(now - since, 0), nextMs: undefined }
}

function groupOf(data: JsonObject): string {
  return text(data['model_name']) ?? text(data['model']) ?? ''
}

function stateOf(value: Json | undefined): HealthState {
  return HEALTH_STATES.find((each) => each === value) ?? 'UNKNOWN'
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
