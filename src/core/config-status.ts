/** What came of reading the config again: it is served with now, the one before still is, or they are the same. */
export const RELOAD_RESULTS = ['taken', 'refused', 'unchanged'] as const

/** One of them. */
export type ReloadResult = (typeof RELOAD_RESULTS)[number]

/** Which config is served with, and what became of those that were read since. */
export interface ConfigStatus {
  /** Of its files' bytes: equal where the files are equal; undefined where there is none. */
  version(): string | undefined
  /** When it was taken, milliseconds since 1970. */
  takenAt(): number
  /** The newest reading after the start; undefined: none yet. */
  lastReload(): LastReload | undefined
  reloads(result: ReloadResult): number
  /** False where the files say something else, which was refused. */
  isCurrent(): boolean
}

/** The newest reading of the config. */
export interface LastReload {
  readonly at: number
  readonly result: ReloadResult
  /** What was wrong with it, and where; redacted. */
  readonly problem?: string
}

/** The status, written on. */
export interface ConfigBook extends ConfigStatus {
  /** Another config is served with from now on. */
  taken(version: string): void
  read(result: ReloadResult, problem?: string): void
}

/** Makes the status of a gateway that starts now. */
export function createConfigBook(clock: { now(): number }, startVersion: string | undefined): ConfigBook {
  let version = startVersion
  let takenAt = clock.now()
  let last: LastReload | undefined
  const counts = { taken: 0, refused: 0, unchanged: 0 }
  return {
    version: () => version,
    takenAt: () => takenAt,
    lastReload: () => last,
    reloads: (result) => counts[result],
    isCurrent: () => last?.result !== 'refused',
    taken: (next) => {
      version = next
      takenAt = clock.now()
    },
    read: (result, problem) => {
      counts[result] += 1
      last = { at: clock.now(), result, ...(problem !== undefined && { problem }) }
    },
  }
}
