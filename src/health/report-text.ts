import type { Deployment } from '../core/deployment.ts'
import type { Board } from './board.ts'
import { entryOf, listOf } from './report.ts'
import type { HealthList, ReportOptions } from './report.ts'

/** The whole report as JSON in bytes, written once for each state of the board, however many ask. */
export interface ReportText {
  /** As `report`, of all deployments; what was recorded before the call is in it. */
  current(): Promise<Buffer>
}

/** What the text is made from. */
export interface ReportTextDeps extends ReportOptions {
  readonly deployments: readonly Deployment[]
  readonly board: Pick<Board, 'health' | 'version' | 'isIsolated'>
  /** Lets others have the event loop, and goes on afterwards. */
  readonly pause: () => Promise<void>
  /** Whole milliseconds, of which nobody can take any back. */
  readonly elapsed: () => number
}

/** So many entries are written in one turn of the event loop: a few milliseconds of work. */
const SLICE = 500
/** Time alone, and answers to clients, change a little of it without the board telling. */
const MOST_AGE_MS = 1000

interface Written {
  /** The board's version when the writing began: all that was recorded until then is in it. */
  readonly version: number
  readonly at: number
  readonly text: Promise<Buffer>
  isWriting: boolean
}

/** Makes the text of one gateway's report. */
export function createReportText(deps: ReportTextDeps): ReportText {
  const { board, elapsed } = deps
  let newest: Written | undefined
  const begin = (): Written => {
    const text = write(deps).finally(() => {
      written.isWriting = false
    })
    const written: Written = { version: board.version(), at: elapsed(), text, isWriting: true }
    return written
  }
  const textSince = async (asked: number): Promise<Buffer> => {
    const known = newest
    if (known !== undefined && known.version >= asked && isYoung(known, elapsed())) return known.text
    // What is being written may have passed by what was recorded since: the next is begun when it is done.
    if (known?.isWriting === true) return known.text.then(() => textSince(asked))
    newest = begin()
    return newest.text
  }
  return { current: () => textSince(board.version()) }
}

function isYoung({ isWriting, at }: Written, now: number): boolean {
  return isWriting || now - at < MOST_AGE_MS
}

const LISTS = ['healthy', 'unhealthy', 'unknown'] as const

type Lists<Item> = Readonly<Record<HealthList, Item[]>>

async function write(deps: ReportTextDeps): Promise<Buffer> {
  const { deployments, pause } = deps
  const written: Lists<Buffer> = { healthy: [], unhealthy: [], unknown: [] }
  const counts = { healthy: 0, unhealthy: 0, unknown: 0 }
  for (let from = 0; from < deployments.length; from += SLICE) {
    if (from > 0) await pause()
    const slice = entriesOf(deployments.slice(from, from + SLICE), deps)
    for (const list of LISTS) {
      if (slice[list].length === 0) continue
      // As bytes at once: one long text would be flattened and encoded in one go.
      written[list].push(Buffer.from(`${counts[list] === 0 ? '' : ','}${slice[list].join(',')}`))
      counts[list] += slice[list].length
    }
  }
  return whole(written, counts, deps.board.isIsolated())
}

function entriesOf(deployments: readonly Deployment[], deps: ReportTextDeps): Lists<string> {
  const entries: Lists<string> = { healthy: [], unhealthy: [], unknown: [] }
  for (const deployment of deployments) {
    const health = deps.board.health(deployment.index)
    const list = listOf(health)
    entries[list].push(JSON.stringify(entryOf(deployment, health, list, deps)))
  }
  return entries
}

function whole(
  written: Lists<Buffer>,
  { healthy, unhealthy, unknown }: Record<HealthList, number>,
  isIsolated: boolean,
): Buffer {
  const unknowns = [
    Buffer.from(',"unknown_endpoints":['),
    ...written.unknown,
    Buffer.from(`],"unknown_count":${unknown}`),
  ]
  return Buffer.concat([
    Buffer.from('{"healthy_endpoints":['),
    ...written.healthy,
    Buffer.from('],"unhealthy_endpoints":['),
    ...written.unhealthy,
    Buffer.from(`],"healthy_count":${healthy},"unhealthy_count":${unhealthy}`),
    ...(unknown > 0 ? unknowns : []),
    Buffer.from(isIsolated ? ',"self_isolated":true}' : '}'),
  ])
}
