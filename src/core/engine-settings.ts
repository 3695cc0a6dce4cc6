import type { FailureKind } from './failure.ts'

/** How the health engine spends its looks. */
export const HEALTH_STRATEGIES = ['passive_first', 'always', 'free_only', 'on_demand', 'off'] as const

/** A way to spend looks; what each means stands at `health_check_strategy`. */
export type HealthStrategy = (typeof HEALTH_STRATEGIES)[number]

/** What a config says of the health engine. Times are milliseconds, prices dollars; undefined: nothing is written. */
export interface EngineSettings {
  /** `background_health_checks`: without it nobody looks unasked. */
  readonly isLooking: boolean
  readonly strategy: HealthStrategy | undefined
  /** `health_check_interval`. */
  readonly intervalMs: number | undefined
  /** `health_check_idle_max`. */
  readonly idleMostMs: number | undefined
  readonly thresholds: ThresholdSettings
  /** `health_check_suspect_confirm`. */
  readonly confirm: { readonly leastMs: number | undefined; readonly mostMs: number | undefined }
  readonly down: DownSettings
  readonly budget: BudgetSettings
  readonly concurrency: ConcurrencySettings
  /** `health_check_panic`: where nobody is left, one request at a time may try. */
  readonly hasLastResort: boolean
  /** `health_check_self_isolation`: while our own network fails, nobody is brought down. */
  readonly noticesIsolation: boolean
  /** `enable_health_check_routing`: failed checks take traffic away. */
  readonly steersRouting: boolean
  /** `health_check_ignore_transient_errors`. */
  readonly ignoresTransientErrors: boolean
  /** `health_check_staleness_threshold`. */
  readonly forgetMs: number | undefined
  /** `disable_cooldowns`, `cooldown_time`, `allowed_fails` and `allowed_fails_policy`. */
  readonly traffic: TrafficRules
}

/** `health_check_thresholds`: how many failures are an outage, and how many successes its end. */
export interface ThresholdSettings {
  readonly failures: number | undefined
  readonly ratio: number | undefined
  readonly leastRequests: number | undefined
  readonly windowMs: number | undefined
  readonly rise: number | undefined
}

/** `health_check_down`: the waits between two looks at a deployment that is down. */
export interface DownSettings {
  readonly firstMs: number | undefined
  readonly factor: number | undefined
  readonly capMs: number | undefined
  readonly capMidMs: number | undefined
  readonly capDearMs: number | undefined
}

/** `health_check_budget`. */
export interface BudgetSettings {
  readonly usdPerDay: number | undefined
  readonly usdPerDayEach: number | undefined
  readonly priceCeiling: number | undefined
}

/** `health_check_concurrency`: looks at once. */
export interface ConcurrencySettings {
  readonly total: number | undefined
  readonly perHost: number | undefined
  readonly perCredential: number | undefined
}

/** What failing traffic may do to a deployment. */
export interface TrafficRules {
  /** False: nothing. */
  readonly isHeeded: boolean
  /** The first wait of one that fell; undefined where 0 is written or nothing. */
  readonly cooldownMs: number | undefined
  readonly allowedFails: number | undefined
  readonly allowedFailsByKind: Readonly<Partial<Record<FailureKind, number>>>
}
