import type { Config } from '../config/config.ts'
import { DEFAULT_HEALTH_SETTINGS, type HealthSettings } from '../health/settings.ts'
import type { Directory } from '../routing/choice/directory.ts'

/** What the config says of checks, with the names of groups as routing knows them. */
export function healthSettings(
  { general, probing }: Config,
  { groupOf }: Pick<Directory, 'groupOf'>,
): HealthSettings {
  const { healthCheckIntervalMs, healthCheckConcurrency, backgroundHealthCheckModelGroups } = general
  const groups = backgroundHealthCheckModelGroups?.map((name) => groupOf(name))
  return {
    ...DEFAULT_HEALTH_SETTINGS,
    backgroundHealthChecks: general.backgroundHealthChecks,
    ...(healthCheckIntervalMs === undefined ? {} : { intervalMs: healthCheckIntervalMs }),
    ...(healthCheckConcurrency === undefined ? {} : { concurrency: healthCheckConcurrency }),
    ...(groups === undefined ? {} : { groups }),
    skipDisabledBackgroundModels: general.skipDisabledBackgroundModels,
    ...(general.healthCheckOnRequest === undefined ? {} : { onRequest: general.healthCheckOnRequest }),
    probeTimeoutMs: probing.timeoutMs,
    prompt: probing.prompt,
    ...(probing.maxTokens === undefined ? {} : { maxTokens: probing.maxTokens }),
    ...(probing.maxTokensReasoning === undefined ? {} : { maxTokensReasoning: probing.maxTokensReasoning }),
    ...(general.healthCheckRung === 'minimal' ? { rung: 'minimal' } : {}),
  }
}
