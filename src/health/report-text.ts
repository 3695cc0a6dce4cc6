import type { Deployment } from '../core/deployment.ts'
import type { Board } from './board.ts'
import { createEntryTexts } from './entry-texts.ts'
import type { EntryText } from './entry-texts.ts'
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

/** So many entries are looked through in one turn of the event loop, or an eighth as many written: a few milliseconds. */
const TURN = 4000
const WRITING = 8
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
  const entry = createEntryTexts((index) => board.health(index), deps)
  let newest: Written | undefined
  const begin = (): Written => {
    const text = write(deps, entry).finally(() => {
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

async function write(
  { deployments, board, pause }: ReportTextDeps,
  entry: (deployment: Deployment) => EntryText,
): Promise<Buffer> {
  const written: Lists<Buffer> = { healthy: [], unhealthy: [], unknown: [] }
  const counts = { healthy: 0, unhealthy: 0, unknown: 0 }
  let turn: Lists<string> = { healthy: [], unhealthy: [], unknown: [] }
  const endTurn = (): void => {
    for (const list of LISTS) {
      const { length } = turn[list]
      if (length === 0) continue
      // As bytes at once: one long text would be flattened and encoded in one go.
      written[list].push(Buffer.from(`${counts[list] === 0 ? '' : ','}${turn[list].join(',')}`))
      counts[list] += length
    }
    turn = { healthy: [], unhealthy: [], unknown: [] }
  }
  let work = 0
  for (const deployment of deployments) {
    if (work >= TURN) {
      endTurn()
      await pause()
      work = 0
    }
    const { list, json, isNew } = entry(deployment)
    turn[list].push(json)
    work += isNew ? WRITING : 1
  }
  endTurn()
  return whole(written, counts, board.isIsolated())
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
