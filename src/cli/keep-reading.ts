import { setImmediate as nextTurn } from 'node:timers/promises'
import type { App } from '../app.ts'
import type { Cancel } from '../core/clock.ts'
import type { Hiding } from '../core/hiding.ts'
import type { Log } from '../core/log.ts'
import { fileStamp, type FileSums } from '../read-config.ts'
import { readAside } from '../reload/read-aside.ts'
import { createReloader } from '../reload/reloader.ts'
import { watchFiles } from '../reload/watch.ts'
import type { Shell } from './shell.ts'

/** The file that a gateway was started with, and what was read for it. */
export interface ConfigFile {
  readonly path: string
  readonly files: FileSums
}

/** Has the config read again when it changes, or when somebody asks for it by SIGHUP, until cancelled. */
export function keepReading(
  { path, files }: ConfigFile,
  app: App,
  { clock, env }: Shell,
  { log, hiding, signals }: { readonly log: Log; readonly hiding: Hiding; readonly signals: ReloadSignals },
): Cancel {
  const reloader = createReloader({
    files,
    app,
    read: (known) => readAside({ path, env }, known, clock),
    hide: (secrets) => hiding.renew(secrets),
    log,
    clock,
    pause: () => nextTurn(),
  })
  const stopWatching = watchFiles({
    paths: () => reloader.files(),
    stampOf: fileStamp,
    read: (file) => files.get(file)?.stamp,
    clock,
    changed: () => void reloader.reload('files'),
  })
  signals.heed(() => void reloader.reload('SIGHUP'))
  return stopWatching
}

/** SIGHUPs from the first moment on: one that comes before anything can be read again is heeded then. */
export interface ReloadSignals {
  heed(listener: () => void): void
  readonly stop: Cancel
}

/** Listens from now on, or the system would end the program. */
export function hearReloads({ reloadAsked }: Pick<Shell, 'reloadAsked'>): ReloadSignals {
  let isAsked = false
  let tell = (): void => {
    isAsked = true
  }
  const stop = reloadAsked(() => tell())
  return {
    heed: (listener) => {
      tell = listener
      if (isAsked) listener()
    },
    stop,
  }
}
