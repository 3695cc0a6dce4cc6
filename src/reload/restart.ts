import type { Config } from '../config/config.ts'

/** Settings that the listener and the log were made with; the rest of a config is taken as it runs. */
const FIXED: readonly (readonly [name: string, value: (config: Config) => unknown])[] = [
  ['general_settings.global_max_parallel_requests', ({ general }) => general.maxInFlight],
  ['general_settings.client_headers_timeout', ({ general }) => general.clientHeadersTimeoutMs],
  ['general_settings.client_request_timeout', ({ general }) => general.clientRequestTimeoutMs],
  ['general_settings.database_url', ({ general }) => general.databaseUrl?.reveal()],
  ['general_settings.use_shared_health_check', ({ sharing }) => sharing?.kind],
  ['general_settings.coordination_redis', ({ sharing }) => placeOf(sharing)],
  ['PULSEGATE_LOG', ({ env }) => env['PULSEGATE_LOG']],
  ['LITELLM_LOG', ({ env }) => env['LITELLM_LOG']],
]

/** What another config changes that holds only after a restart. */
export function needsRestart(before: Config, after: Config): readonly string[] {
  return FIXED.flatMap(([name, value]) => (value(before) === value(after) ? [] : [name]))
}

/** Where replicas meet, as a text; nothing where that is the database, which has a line of its own. */
function placeOf(sharing: Config['sharing']): string | undefined {
  if (sharing?.kind !== 'redis') return undefined
  return JSON.stringify({ ...sharing, password: sharing.password?.reveal() })
}
