/** What a log line may carry: ids and numbers, never a Secret or a body. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>

/** Events, not prose: `log.info('verdict_changed', { model_id, from, to })`. */
export interface Log {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
}

/** Swallows everything. */
export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
