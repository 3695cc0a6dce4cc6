import { DEFAULT_LOOK_RULES, DEFAULT_RULES } from './engine/rules.ts'
import type { EngineRules, LookRules } from './engine/rules.ts'
import type { HealthSettings } from './settings.ts'

/** How the engine judges, by what the config says. */
export function engineRules(settings: HealthSettings): EngineRules {
  const { allowedFails, cooldownMs, forgetMs } = settings
  return {
    ...DEFAULT_RULES,
    isTrafficHeeded: settings.isTrafficHeeded,
    isProbeHeeded: settings.isProbeHeeded,
    ignoreTransientErrors: settings.ignoreTransientErrors,
    allowedFailsByKind: settings.allowedFailsByKind,
    ...(allowedFails !== undefined && { allowedFails }),
    ...(forgetMs !== undefined && { forgetMs }),
    // Whoever writes how long a deployment rests means those as well that are merely too busy.
    ...(cooldownMs !== undefined && {
      saturatedMs: cooldownMs,
      saturatedMostMs: Math.max(cooldownMs, DEFAULT_RULES.saturatedMostMs),
    }),
  }
}

/** When and how deep the engine looks. A written interval is a promise: an idle deployment's evidence is no older. */
export function lookRules({ backgroundHealthChecks, intervalMs, cooldownMs }: HealthSettings): LookRules {
  const { down } = DEFAULT_LOOK_RULES
  return {
    ...DEFAULT_LOOK_RULES,
    ...(!backgroundHealthChecks && { strategy: 'off' }),
    ...(intervalMs !== undefined && { intervalMs, idleMostMs: intervalMs }),
    ...(cooldownMs !== undefined && { down: { ...down, firstMs: cooldownMs } }),
  }
}
