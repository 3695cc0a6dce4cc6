import type { EngineSettings } from '../core/engine-settings.ts'
import type { Report } from './check.ts'
import type { GeneralSettings, RoutingSettings } from './config.ts'
import { booleanOf, numberOf } from './connection.ts'
import { child, textOf, toJson, type MapNode } from './node.ts'
import { problemAt } from './problem.ts'
import { generalSettings } from './schema-general.ts'

/**
 * Reads what rules the health engine from a root that was resolved and checked.
 * @throws ZodError where it was not checked
 */
export function readEngine(
  root: MapNode,
  general: GeneralSettings,
  { cooldowns }: Pick<RoutingSettings, 'cooldowns'>,
): EngineSettings {
  const node = child(root, 'general_settings')
  const given = generalSettings.parse(node === undefined ? {} : toJson(node))
  const thresholds = given.health_check_thresholds
  const down = given.health_check_down
  const budget = given.health_check_budget
  const { isEnabled, allowedFails, allowedFailsByKind } = cooldowns
  const cooldown = writtenCooldown(root)
  return {
    isLooking: general.backgroundHealthChecks,
    strategy: given.health_check_strategy ?? undefined,
    intervalMs: general.healthCheckIntervalMs,
    idleMostMs: milliseconds(given.health_check_idle_max),
    thresholds: {
      failures: thresholds?.failures ?? undefined,
      ratio: thresholds?.ratio ?? undefined,
      leastRequests: thresholds?.min_requests ?? undefined,
      windowMs: milliseconds(thresholds?.window),
      rise: thresholds?.rise ?? undefined,
    },
    confirm: {
      leastMs: milliseconds(given.health_check_suspect_confirm?.min),
      mostMs: milliseconds(given.health_check_suspect_confirm?.max),
    },
    down: {
      firstMs: milliseconds(down?.first),
      factor: down?.factor ?? undefined,
      capMs: milliseconds(down?.cap),
      capMidMs: milliseconds(down?.cap_mid),
      capDearMs: milliseconds(down?.cap_dear),
    },
    budget: {
      usdPerDay: budget?.usd_per_day ?? undefined,
      usdPerDayEach: budget?.per_credential ?? undefined,
      priceCeiling: budget?.price_ceiling ?? undefined,
    },
    concurrency: concurrencyOf(given.health_check_concurrency),
    hasLastResort: given.health_check_panic !== 'off',
    noticesIsolation: given.health_check_self_isolation ?? true,
    steersRouting: given.enable_health_check_routing ?? true,
    ignoresTransientErrors: general.ignoreTransientErrors,
    forgetMs: milliseconds(given.health_check_staleness_threshold || undefined),
    traffic: {
      // A rest of no time is none.
      isHeeded: isEnabled && cooldown !== 0,
      cooldownMs: cooldown === 0 ? undefined : milliseconds(cooldown),
      allowedFails,
      allowedFailsByKind,
    },
  }
}

/** `cooldown_time`, seconds; undefined where nobody wrote one. */
function writtenCooldown(root: MapNode): number | undefined {
  const written = (block: string): number | undefined => numberOf(child(child(root, block), 'cooldown_time'))
  return written('router_settings') ?? written('litellm_settings')
}

/** Settings that are right each by itself, and not together. */
export function checkEngine(root: MapNode, report: Report): void {
  const general = child(root, 'general_settings')
  const [idleMax, interval] = [
    child(general, 'health_check_idle_max'),
    child(general, 'health_check_interval'),
  ]
  const [most, least] = [numberOf(idleMax), numberOf(interval)]
  if (idleMax !== undefined && most !== undefined && least !== undefined && most < least) {
    const message = `must not be below health_check_interval (${least}), not ${most}`
    report(problemAt('fatal', idleMax, 'general_settings.health_check_idle_max', message))
  }
  const strategy = child(general, 'health_check_strategy')
  const isLooking = booleanOf(child(general, 'background_health_checks')) === true
  if (strategy === undefined || isLooking || !LOOKS.has(textOf(strategy) ?? '')) return
  const message = 'does nothing without background_health_checks: true'
  report(problemAt('warning', strategy, 'general_settings.health_check_strategy', message))
}

/** Strategies of the background loop. */
const LOOKS: ReadonlySet<string> = new Set(['passive_first', 'always', 'free_only'])

/** A number alone is LiteLLM's, for all in all; 0 is no limit of the user's. */
export function concurrencyOf(
  written: ReturnType<typeof generalSettings.parse>['health_check_concurrency'],
): EngineSettings['concurrency'] {
  if (typeof written === 'number') {
    const total = written > 0 ? Math.max(1, Math.floor(written)) : undefined
    return { total, perHost: undefined, perCredential: undefined }
  }
  return {
    total: written?.global ?? undefined,
    perHost: written?.per_host ?? undefined,
    perCredential: written?.per_credential ?? undefined,
  }
}

function milliseconds(seconds: number | null | undefined): number | undefined {
  return seconds === null || seconds === undefined ? undefined : seconds * 1000
}
