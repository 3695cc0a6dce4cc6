import type { Clock } from '../core/clock.ts'
import { shownMode } from '../core/deployment.ts'
import type { Deployment } from '../core/deployment.ts'
import type { Health } from '../core/health.ts'
import type { Redact } from '../core/secret.ts'
import type { Board } from './board.ts'

/** The states of all deployments and every change of them, as server-sent events that any number of readers share. */
export interface Feed {
  /** Grows by one with each transition. */
  version(): number
  /** The version that an event's id stands for; undefined where it is none of this feed's. */
  versionOf(id: string): number | undefined
  /** The events after this version, as bytes; undefined where the oldest of them are forgotten. */
  since(version: number): Buffer | undefined
  /** The state of everybody, as one event. What has changed since `version` may be in it or not. */
  snapshot(): Promise<Snapshot>
  /** Told of each transition. */
  onEvent(listener: () => void): void
}

/** All states at a version. */
export interface Snapshot {
  readonly version: number
  readonly bytes: Buffer
}

/** What a feed is made from. */
export interface FeedDeps {
  readonly deployments: readonly Deployment[]
  readonly board: Pick<Board, 'health' | 'onChange'>
  readonly clock: Pick<Clock, 'now' | 'elapsed'>
  readonly redact: Redact
  /** `health_check_details`. */
  readonly details: boolean
  /** Tells this feed's ids from those of another process, and of this one before it was restarted. */
  readonly epoch: string
  /** Lets others have the event loop, and goes on afterwards. */
  readonly pause: () => Promise<void>
}

interface Transition {
  readonly deployment: Deployment
  readonly from: Health['state']
  readonly health: Health
  /** When it was told, milliseconds since 1970. */
  readonly at: number
  bytes: Buffer | undefined
}

/** So many of the newest transitions are remembered for those who come back. */
export const MOST_REMEMBERED = 1024
/** So many deployments are written in one turn of the event loop. */
const SLICE = 500
/** A snapshot this young serves the next reader too: what has changed since is sent after it. */
const YOUNG_MS = 1000
const MOST_ERROR_CHARS = 512

/** Makes the feed and begins to remember. */
export function createFeed(deps: FeedDeps): Feed {
  const { board, clock, epoch } = deps
  const ring: (Transition | undefined)[] = Array.from({ length: MOST_REMEMBERED })
  const listeners: (() => void)[] = []
  let version = 0
  let latest: { readonly at: number; readonly from: number; readonly made: Promise<Snapshot> } | undefined
  board.onChange((deployment, { state: from }, health) => {
    if (from === health.state) return
    version += 1
    ring[version % MOST_REMEMBERED] = { deployment, from, health, at: clock.now(), bytes: undefined }
    for (const listener of listeners) listener()
  })
  return {
    version: () => version,
    versionOf: (id) => {
      if (!id.startsWith(`${epoch}-`)) return undefined
      const known = id.slice(epoch.length + 1)
      const number = /^\d{1,15}$/.test(known) ? Number(known) : Number.NaN
      return number <= version ? number : undefined
    },
    since: (from) => {
      if (version - from > MOST_REMEMBERED) return undefined
      const parts: Buffer[] = []
      for (let each = from + 1; each <= version; each += 1) {
        const transition = ring[each % MOST_REMEMBERED]
        // Written when it is first wanted, and then shared by all.
        if (transition !== undefined)
          parts.push((transition.bytes ??= transitionText(transition, each, deps)))
      }
      return parts.length === 1 ? parts[0] : Buffer.concat(parts)
    },
    snapshot: () => {
      const now = clock.elapsed()
      const isYoung = latest !== undefined && now - latest.at < YOUNG_MS && version - latest.from < SLICE
      if (!isYoung || latest === undefined)
        latest = { at: now, from: version, made: snapshotAt(version, deps) }
      return latest.made
    },
    onEvent: (listener) => void listeners.push(listener),
  }
}

function transitionText(transition: Transition, version: number, deps: FeedDeps): Buffer {
  const { deployment, from, health, at } = transition
  const { details, redact } = deps
  const data = {
    version,
    at: new Date(at).toISOString(),
    model_id: deployment.id,
    model: deployment.model,
    from,
    to: health.state,
    ...(details && detailsOf(deployment, health)),
    ...(details && health.error !== undefined && { error: health.error.slice(0, MOST_ERROR_CHARS) }),
  }
  return Buffer.from(eventText('transition', version, redact(JSON.stringify(data)), deps))
}

/** In slices, so that ten thousand deployments hold nobody up; changes meanwhile are sent after it. */
async function snapshotAt(version: number, deps: FeedDeps): Promise<Snapshot> {
  const { deployments, board, clock, details, redact, pause } = deps
  const texts: string[] = []
  for (let from = 0; from < deployments.length; from += SLICE) {
    if (from > 0) await pause()
    for (const deployment of deployments.slice(from, from + SLICE)) {
      const health = board.health(deployment.index)
      const entry = {
        model_id: deployment.id,
        model: deployment.model,
        health_state: health.state,
        ...(details && detailsOf(deployment, health)),
      }
      texts.push(redact(JSON.stringify(entry)))
    }
  }
  const at = new Date(clock.now()).toISOString()
  const data = `{"version":${version},"at":"${at}","deployments":[${texts.join(',')}]}`
  return { version, bytes: Buffer.from(eventText('snapshot', version, data, deps)) }
}

function detailsOf(deployment: Deployment, { reason, since }: Health): object {
  return {
    model_name: deployment.group,
    mode: shownMode(deployment),
    ...(reason !== undefined && { reason }),
    since: new Date(since).toISOString(),
  }
}

/** JSON has no line ends of its own, so that it is one `data` line (WHATWG HTML, server-sent events). */
function eventText(name: string, version: number, data: string, { epoch }: FeedDeps): string {
  return `event: ${name}\nid: ${epoch}-${version}\ndata: ${data}\n\n`
}
