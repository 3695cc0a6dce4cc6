import type { Cancel, Clock } from '../core/clock.ts'

/** What files are watched with. */
export interface WatchDeps {
  /** The files as they are listed now; the list may change. */
  readonly paths: () => Iterable<string>
  /** Changes with a file, be it written, replaced or gone: a link counts for what it leads to. Never rejects. */
  readonly stampOf: (path: string) => Promise<string>
  /** What the files were when they were read for the start. */
  readonly read: (path: string) => string | undefined
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
export function watchFiles({ paths, stampOf, read: readAs, clock, changed }: WatchDeps): Cancel {
  let isStopped = false
  let cancel: Cancel = () => {}
  let seen: string | undefined
  let read = textOf(Array.from(paths(), (path) => [path, readAs(path)]))
  const look = async (): Promise<void> => {
    const now = textOf(await Promise.all(Array.from(paths(), async (path) => [path, await stampOf(path)])))
    if (isStopped) return
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

function textOf(stamps: readonly (readonly (string | undefined)[])[]): string {
  return JSON.stringify(stamps)
}
