import { setImmediate as nextTurn } from 'node:timers/promises'
import type { App } from '../app.ts'
import type { Cancel } from '../core/clock.ts'
import type { Hiding } from '../core/hiding.ts'
import type { Log } from '../core/log.ts'
import type { FileSums } from '../read-config.ts'
import { fileStamp, isNewerThan } from '../reload/file-stamp.ts'
import { readAside } from '../reload/read-aside.ts'
import { createReloader } from '../reload/reloader.ts'
import { watchFiles } from '../reload/watch.ts'
import type { Shell } from './shell.ts'

/** The file that a gateway was started with, and what was read for it. */
export interface ConfigFile {
  readonly path: string
  readonly files: FileSums
  /** When that was begun, milliseconds since 1970. */
  readonly readAt: number
}

/** Has the config read again when it changes, or when somebody asks for it by SIGHUP, until cancelled. */
export function keepReading(
  { path, files, readAt }: ConfigFile,
  app: App,
  { clock, env, reloadAsked }: Shell,
  { log, hiding }: { readonly log: Log; readonly hiding: Hiding },
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
    isNewer: (file) => isNewerThan(file, readAt),
    clock,
    changed: () => void reloader.reload('files'),
  })
  const stopHearing = reloadAsked(() => void reloader.reload('SIGHUP'))
  return () => {
    stopWatching()
    stopHearing()
  }
}
