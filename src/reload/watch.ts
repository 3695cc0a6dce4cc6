import type { Cancel, Clock } from '../core/clock.ts'

/** What files are watched with. */
export interface WatchDeps {
  /** The files as they are listed now; the list may change. */
  readonly paths: () => Iterable<string>
  /** Changes with a file, be it written, replaced or gone: a link counts for what it leads to. Never rejects. */
  readonly stampOf: (path: string) => Promise<string>
  /** Was it written after it was read for the start? Asked once, at the first look. Never rejects. */
  readonly isNewer: (path: string) => Promise<boolean>
  readonly clock: Pick<Clock, 'after'>
  /** The files have changed, and have then stayed as they are for a while. */
  readonly changed: () => void
}

/** How often files are looked at, and for how long they must rest before they are read, milliseconds. */
const LOOK_MS = 1000
const REST_MS = 300

/**
 * Looks at files each second. Events of the file system would come sooner, but not from every file system: those that
 * containers have mounted send none.
 */
export function watchFiles({ paths, stampOf, isNewer, clock, changed }: WatchDeps): Cancel {
  let isStopped = false
  let cancel: Cancel = () => {}
  let seen: string | undefined
  let read: string | undefined
  const look = async (): Promise<void> => {
    const stamps = await Promise.all(Array.from(paths(), async (path) => `${path} ${await stampOf(path)}`))
    if (isStopped) return
    const now = stamps.join('\n')
    if (read === undefined) {
      const newer = await Promise.all(Array.from(paths(), isNewer))
      if (isStopped) return
      read = newer.includes(true) ? '' : now
    }
    const isResting = now === seen
    seen = now
    if (now !== read && isResting) {
      read = now
      changed()
    }
    cancel = clock.after(now === read ? LOOK_MS : REST_MS, () => void look())
  }
  void look()
  return () => {
    isStopped = true
    cancel()
  }
}
