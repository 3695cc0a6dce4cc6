import { messageOf } from '../core/message-of.ts'
import type { Cancel, Clock } from '../core/clock.ts'
import { within } from '../core/within.ts'
import { createConnectionLoop } from './connection-loop.ts'
import type { ConnectionLoop } from './connection-loop.ts'
import { createServerClock } from './server-clock.ts'
import type { ServerClock } from './server-clock.ts'
import { SharingError } from './sharing.ts'
import type { SharingListener } from './sharing.ts'

/** A store at the other end of a connection, as all questions of one replica share it. */
export interface LinkedStore<Link> {
  readonly time: ServerClock
  readonly listeners: Set<SharingListener>
  readonly loop: ConnectionLoop<Link>
  readonly subscribe: (listener: SharingListener) => Cancel
  /** Keeps the deadline; a connection that leaves several questions in a row unanswered is given up. */
  readonly answered: <Result>(question: Question<Link, Result>) => Promise<Result>
}

/** One question to a store. */
export interface Question<Link, Result> {
  readonly asked: Promise<Result>
  /** Any question is given up after this, milliseconds. */
  readonly mostMs: number
  /** What is said then. */
  readonly late: string
  /** Is this the connection that it was asked on? */
  readonly isOn: (link: Link | undefined) => boolean
}

/** How a store is reached. */
export interface LinkedStoreDeps<Link> {
  readonly clock: Clock
  readonly random: () => number
  /** Opens a connection that works, within a deadline of its own. */
  readonly open: () => Promise<Link>
  readonly close: (link: Link) => void
}

/** So many questions that are not answered in time in a row, and the connection counts as dead. */
const MOST_TIMEOUTS = 2

/** Makes it; nothing is opened before the loop starts. */
export function createLinkedStore<Link>({
  clock,
  random,
  open,
  close,
}: LinkedStoreDeps<Link>): LinkedStore<Link> {
  const time = createServerClock()
  const listeners = new Set<SharingListener>()
  let timeouts = 0
  const loop = createConnectionLoop<Link>({
    clock,
    random,
    open,
    close,
    up: () => {
      timeouts = 0
      for (const listener of listeners) listener.up()
    },
    down: (why) => {
      time.forget()
      for (const listener of listeners) listener.down(why)
    },
  })
  return {
    time,
    listeners,
    loop,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    answered: async ({ asked, mostMs, late, isOn }) => {
      try {
        const answer = await within(clock, mostMs, asked, late)
        timeouts = 0
        return answer
      } catch (error) {
        timeouts += 1
        const why = messageOf(error)
        if (timeouts >= MOST_TIMEOUTS && isOn(loop.link())) loop.failed(why)
        throw new SharingError(why, { cause: error })
      }
    },
  }
}
