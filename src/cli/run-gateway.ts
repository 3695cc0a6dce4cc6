import { createApp, ListenError, type App } from '../app.ts'
import type { Config } from '../config/config.ts'
import type { Cancel } from '../core/clock.ts'
import { createHiding } from '../core/hiding.ts'
import { createJsonLog, logLevelOf } from '../json-log.ts'
import { versionOf } from '../read-config.ts'
import type { Address } from './args.ts'
import { EXIT } from './exit-code.ts'
import { showFirstVerdicts } from './first-verdicts.ts'
import { keepReading, type ConfigFile, type ReloadSignals } from './keep-reading.ts'
import { sizeOf } from './problems.ts'
import type { Watched } from './live-table.ts'
import type { Shell, StopSignal } from './shell.ts'

/** How a gateway is run. */
export interface RunSettings {
  readonly address: Address
  /** --debug: log everything, whatever the environment says. */
  readonly isDebug: boolean
  /** The level of the log where neither PULSEGATE_LOG nor LITELLM_LOG names one. */
  readonly defaultLogLevel: string
  /** Check everything once at start, whatever the config says of background checks. */
  readonly checksAtStart: boolean
  /** Read again when it changes; absent: the config is no file. */
  readonly file?: ConfigFile & { readonly signals: ReloadSignals }
  /** Where the history is kept when there is no database; absent: in memory. */
  readonly historyFile?: string
  /** When this settles, the gateway drains and ends. */
  readonly stopAsked: Promise<StopSignal>
  /** Called before it starts. */
  readonly onBuilt?: (app: App) => void
  /** Called once the address is bound. */
  readonly onListening?: () => void
  /** Called when the first verdicts are all in, with what goes on to be known. */
  readonly onChecked?: (url: string, watched: Watched) => void
}

/** Leaves a second of the five after which a table should stand, for the start itself. */
const WAITING_AFTER_MS = 4_000
const MOST_ROWS = 60

/** Starts a gateway, shows what it finds, and ends it when the process is asked to. Gives the exit code. */
export async function runGateway(config: Config, shell: Shell, settings: RunSettings): Promise<number> {
  const { terminal, clock, random, version } = shell
  const hiding = createHiding(config.secrets)
  const { redact } = hiding
  shell.hideSecrets(redact)
  const { checksAtStart, address, file, historyFile } = settings
  const named = logLevelOf(shell.env) ?? logLevelOf(config.env) ?? settings.defaultLogLevel
  const log = createJsonLog({ level: settings.isDebug ? 'debug' : named, redact })
  let stopTable: Cancel = () => {}
  let stopReading: Cancel = () => {}
  const app = await createApp(config, {
    log,
    droppedLogLines: () => log.dropped(),
    redact,
    clock,
    random,
    version,
    checksAtStart,
    ...(file !== undefined && { configVersion: versionOf(file.files) }),
    ...(historyFile !== undefined && { historyFile }),
    ...address,
    onListening: (url) => {
      settings.onListening?.()
      announce(config, shell, url, address.host)
      if (!checksAtStart && !config.general.backgroundHealthChecks) return
      stopTable = showFirstVerdicts(app.board, shell, {
        waitingAfterMs: WAITING_AFTER_MS,
        mostRows: MOST_ROWS,
        onComplete: () =>
          settings.onChecked?.(url, { ...app.board, nextCheckAt: (index) => app.nextCheckAt(index) }),
      })
    },
  })
  settings.onBuilt?.(app)
  try {
    await app.start()
    if (file !== undefined)
      stopReading = keepReading(file, app, shell, { log, hiding, signals: file.signals })
    const signal = await settings.stopAsked
    stopReading()
    terminal.err(farewell(app.config(), signal))
    await app.stop()
    return EXIT.ok
  } catch (error) {
    if (!(error instanceof ListenError)) throw error
    terminal.err(`pulsegate: ${error.message}`)
    return EXIT.refused
  } finally {
    stopReading()
    stopTable()
    log.flush()
  }
}

function announce(config: Config, { terminal, version }: Shell, url: string, host: string): void {
  // As it was asked for: 0.0.0.0 says that the address is open to the network, where the first one to try does not.
  const address = `http://${host.includes(':') ? `[${host}]` : host}:${new URL(url).port}`
  terminal.out(`pulsegate ${version} listening on ${terminal.paint('bold', address)}: ${sizeOf(config)}`)
  const { masterKey, isMasterKeyUnset } = config.general
  if (masterKey !== undefined || isMasterKeyUnset || isLoopback(host)) return
  const warning =
    'WARNING: no master key: whoever reaches this address can use every model and read /health; ' +
    'set general_settings.master_key or LITELLM_MASTER_KEY'
  terminal.err(terminal.paintError('bad', warning))
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

function farewell({ general }: Config, signal: StopSignal): string {
  const delay = `new requests are served for ${general.drainDelayMs / 1000} s more`
  const cap = `running ones for up to ${general.drainTimeoutMs / 1000} s`
  return `${signal}: draining, ${delay}, ${cap}; once more ends at once`
}
