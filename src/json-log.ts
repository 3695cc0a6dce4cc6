import { destination, pino, stdTimeFunctions } from 'pino'
import { entryOf } from './core/entry-of.ts'
import type { Log, LogFields } from './core/log.ts'
import type { Redact } from './core/secret.ts'

/** A Log that can be emptied before the process ends. */
export interface JsonLog extends Log {
  /** Begins to write whatever is left. */
  flush(): void
  /** Lines thrown away so far, because nobody took them. */
  dropped(): number
}

/** LiteLLM's level names, which are Python's, and their equals here. */
const LEVELS: Readonly<Record<string, string>> = {
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  critical: 'fatal',
  silent: 'silent',
}

/** The level that PULSEGATE_LOG or LITELLM_LOG names; undefined where neither names one that exists. */
export function logLevelOf(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return entryOf(LEVELS, (env['PULSEGATE_LOG'] ?? env['LITELLM_LOG'] ?? '').toLowerCase())
}

/** What waits to be written, in characters: a reader that hangs costs no more memory than this, and no time. */
const MOST_WAITING_LOG = 4 * 1024 * 1024

/** JSON lines on stderr, written without waiting. Every text in them passes through `redact`. */
export function createJsonLog(settings: { readonly level: string; readonly redact: Redact }): JsonLog {
  const stderr = destination({ dest: 2, sync: false, maxLength: MOST_WAITING_LOG })
  let dropped = 0
  stderr.on('drop', () => dropped++)
  // Nobody reads the log any more, or its disk is full: that must not end the gateway.
  stderr.on('error', () => {})
  // It tries for ever, in a loop that nothing interrupts, where the disk is full; the process ends without it just
  // as well, after the writes that are under way.
  stderr.flushSync = () => {}
  const logger = pino(
    {
      level: settings.level,
      base: null,
      messageKey: 'event',
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    stderr,
  )
  const clean = (fields: LogFields): LogFields =>
    Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [
        name,
        typeof value === 'string' ? settings.redact(value) : value,
      ]),
    )
  return {
    debug: (event, fields = {}) => logger.isLevelEnabled('debug') && logger.debug(clean(fields), event),
    info: (event, fields = {}) => logger.info(clean(fields), event),
    warn: (event, fields = {}) => logger.warn(clean(fields), event),
    error: (event, fields = {}) => logger.error(clean(fields), event),
    flush: () => stderr.flush(),
    dropped: () => dropped,
  }
}
