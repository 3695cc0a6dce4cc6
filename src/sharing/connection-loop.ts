import type { Cancel, Clock } from '../core/clock.ts'
import { messageOf } from '../core/message-of.ts'

/** A store's connection: opened, watched, and opened anew where it failed. */
export interface ConnectionLoop<Link> {
  start(): void
  /** The link, where there is one that works. */
  link(): Link | undefined
  /** The link failed: it is closed, and the next attempt follows. */
  failed(why: string): void
  /** Resolves when nothing is left open. */
  stop(): Promise<void>
}

/** What a loop runs on. */
export interface LoopDeps<Link> {
  readonly clock: Pick<Clock, 'after'>
  readonly random: () => number
  /** Opens a link within a deadline of its own; rejects where it cannot be had. */
  readonly open: () => Promise<Link>
  /** Closes it; never waits for the other side. */
  readonly close: (link: Link) => void
  readonly up: (link: Link) => void
  readonly down: (why: string) => void
}

const FIRST_WAIT_MS = 500
const MOST_WAIT_MS = 5_000

/** Makes a loop; nothing is opened before `start`. One attempt at a time, with growing waits between. */
export function createConnectionLoop<Link>(deps: LoopDeps<Link>): ConnectionLoop<Link> {
  const { clock, random, open, close } = deps
  let link: Link | undefined
  let isStopped = true
  let waitMs = FIRST_WAIT_MS
  let cancelWait: Cancel = () => {}
  let attempt: Promise<void> = Promise.resolve()

  const again = (): void => {
    cancelWait = clock.after(waitMs * (0.5 + random()), () => {
      attempt = connect()
    })
    waitMs = Math.min(waitMs * 2, MOST_WAIT_MS)
  }
  async function connect(): Promise<void> {
    try {
      const opened = await open()
      if (isStopped) {
        close(opened)
        return
      }
      link = opened
      waitMs = FIRST_WAIT_MS
      deps.up(opened)
    } catch (error) {
      if (isStopped) return
      deps.down(messageOf(error))
      again()
    }
  }

  return {
    start: () => {
      if (!isStopped) return
      isStopped = false
      attempt = connect()
    },
    link: () => link,
    failed: (why) => {
      if (link === undefined || isStopped) return
      close(link)
      link = undefined
      deps.down(why)
      again()
    },
    stop: async () => {
      isStopped = true
      cancelWait()
      if (link !== undefined) close(link)
      link = undefined
      await attempt
    },
  }
}
