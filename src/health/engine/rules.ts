import type { FailureKind } from '../../core/failure.ts'

/** How the state machine judges, as plain values. Times are milliseconds. */
export interface EngineRules {
  /** So much suspicion brings a deployment down. */
  readonly failures: number
  /** What a failed probe adds to the suspicion: its input is ours, so that nobody else can be at fault. */
  readonly probeScore: number
  /** Traffic alone brings it down only where at least so many different prompts failed; 0: any failures do. */
  readonly leastPrompts: number
  /** So many attributable requests within `windowMs`, of which a share of `ratio` failed, bring it down too. */
  readonly leastRequests: number
  readonly ratio: number
  readonly windowMs: number
  /** `allowed_fails`: more failures than this in a minute bring it down, whatever else happened meanwhile. */
  readonly allowedFails?: number
  /** `allowed_fails_policy`, by kind. */
  readonly allowedFailsByKind: Readonly<Partial<Record<FailureKind, number>>>
  /** False (`disable_cooldowns`): failing traffic changes nothing. */
  readonly isTrafficHeeded: boolean
  /** False (`enable_health_check_routing: false`): failing probes change nothing. */
  readonly isProbeHeeded: boolean
  /** `health_check_ignore_transient_errors`: a probe's 429 or timeout changes nothing. */
  readonly ignoreTransientErrors: boolean
  /** Our own network is in doubt: nobody is brought down. */
  readonly isFrozen: boolean
  /** `health_check_self_isolation`: whether that is looked out for at all. */
  readonly noticesIsolation: boolean
  /** DEGRADED from this share of failures on, until it has been at most `degradedLeave` for `calmMs`. */
  readonly degradedEnter: number
  readonly degradedLeave: number
  readonly calmMs: number
  /** Successes after the first one that end RECOVERING; the second number where it has been flapping. */
  readonly rise: number
  readonly riseFlapping: number
  /** How long a returning deployment takes to its full share of traffic. */
  readonly slowStartMs: number
  readonly slowStartFlappingMs: number
  /** So many falls, each counting half after `penaltyHalfLifeMs`, are flapping. */
  readonly flapping: number
  readonly penaltyHalfLifeMs: number
  /** `health_check_staleness_threshold`: a bad verdict that nothing has renewed for so long is given up. */
  readonly forgetMs: number
  /** Overloaded for so long without one success is down. */
  readonly overloadedMs: number
  /** The first wait of a 429 without Retry-After; doubles up to `saturatedMostMs`. */
  readonly saturatedMs: number
  readonly saturatedMostMs: number
  /** A longer Retry-After is a mistake or a daily quota. */
  readonly retryAfterMostMs: number
}

/** What holds where nothing is configured. */
export const DEFAULT_RULES: EngineRules = {
  failures: 5,
  probeScore: 2,
  leastPrompts: 2,
  leastRequests: 20,
  ratio: 0.5,
  windowMs: 30_000,
  allowedFailsByKind: {},
  isTrafficHeeded: true,
  isProbeHeeded: true,
  ignoreTransientErrors: false,
  isFrozen: false,
  noticesIsolation: true,
  degradedEnter: 0.1,
  degradedLeave: 0.05,
  calmMs: 60_000,
  rise: 2,
  riseFlapping: 4,
  slowStartMs: 30_000,
  slowStartFlappingMs: 120_000,
  flapping: 3,
  penaltyHalfLifeMs: 600_000,
  forgetMs: 600_000,
  overloadedMs: 300_000,
  saturatedMs: 10_000,
  saturatedMostMs: 60_000,
  retryAfterMostMs: 3_600_000,
}

/** When and how deep we look, as plain values. Times are milliseconds, prices dollars. */
export interface LookRules {
  /**
   * `passive_first`: where traffic leaves a gap. `always`: at each interval, as LiteLLM does. `free_only`: never for
   * money. `on_demand`: only to confirm and to bring back. `off`: never.
   */
  readonly strategy: 'passive_first' | 'always' | 'free_only' | 'on_demand' | 'off'
  /** `health_check_interval`. */
  readonly intervalMs: number
  /** `health_check_idle_max`: paid looks at an idle, healthy deployment back off to this. */
  readonly idleMostMs: number
  /** A suspicion that only money confirms waits for this much traffic, within these bounds. */
  readonly confirmLeastMs: number
  readonly confirmMostMs: number
  /** The same where a free look confirms it. */
  readonly confirmFreeMs: number
  /** Between two looks at a suspect. */
  readonly confirmAgainMs: number
  readonly down: DownWaits
  /** The first wait of a misconfigured one; doubles up to the second. */
  readonly misconfiguredMs: number
  readonly misconfiguredMostMs: number
  /** And is never longer than this share of its age: whoever mends a key soon is seen soon. */
  readonly misconfiguredAgeShare: number
  /** A look that costs more confirms no suspicion. */
  readonly priceCeiling: number
}

/** How long one waits between two looks at a deployment that is down. */
export interface DownWaits {
  /** `cooldown_time`. */
  readonly firstMs: number
  readonly factor: number
  /** The longest wait, by what the look costs: nothing, below $0.001, below $0.01, more. */
  readonly capFreeMs: number
  readonly capMs: number
  readonly capMidMs: number
  readonly capDearMs: number
  /** The cap grows to this share of the outage's age, up to `capOldMs`: what was dead for hours will be dead for minutes. */
  readonly ageShare: number
  readonly capOldMs: number
}

/** What holds where nothing is configured. */
export const DEFAULT_LOOK_RULES: LookRules = {
  strategy: 'passive_first',
  intervalMs: 300_000,
  idleMostMs: 3_600_000,
  confirmLeastMs: 1000,
  confirmMostMs: 5000,
  confirmFreeMs: 500,
  confirmAgainMs: 1000,
  down: {
    firstMs: 5000,
    factor: 1.5,
    capFreeMs: 15_000,
    capMs: 45_000,
    capMidMs: 300_000,
    capDearMs: 300_000,
    ageShare: 1 / 15,
    capOldMs: 360_000,
  },
  misconfiguredMs: 60_000,
  misconfiguredMostMs: 900_000,
  misconfiguredAgeShare: 1 / 10,
  priceCeiling: 0.005,
}
