/** How deployments are checked, as plain values. Times are milliseconds. */
export interface HealthSettings {
  /** `background_health_checks`: run the loop; GET /health then reads memory. */
  readonly backgroundHealthChecks: boolean
  /** `health_check_interval`; absent where the user wrote none: 5 minutes, backing off while idle. */
  readonly intervalMs?: number
  /** `health_check_concurrency`: no more probes than this in flight, whatever else allows more. */
  readonly concurrency?: number
  /** `background_health_check_model_groups`: the loop checks these model names only. */
  readonly groups?: readonly string[]
  /** `health_check_skip_disabled_background_models`: live checks leave them out too. */
  readonly skipDisabledBackgroundModels: boolean
  /** `health_check_on_request`; absent: live while the loop is off, memory while it is on. */
  readonly onRequest?: 'always' | 'stale' | 'never'
  /** Deadline of one check where the deployment names none. */
  readonly probeTimeoutMs: number
  /** DEFAULT_HEALTH_CHECK_PROMPT: what every mode but chat is asked. */
  readonly prompt: string
  /** BACKGROUND_HEALTH_CHECK_MAX_TOKENS. */
  readonly maxTokens?: number
  /** BACKGROUND_HEALTH_CHECK_MAX_TOKENS_REASONING. */
  readonly maxTokensReasoning?: number
  /** The loop makes a paid image no more often than this. */
  readonly imageIntervalMs: number
  /** `health_check_rung`: `minimal` makes the loop pay for an image at each interval. */
  readonly rung?: 'minimal'
}

/** What holds where nothing is configured. */
export const DEFAULT_HEALTH_SETTINGS: HealthSettings = {
  backgroundHealthChecks: false,
  skipDisabledBackgroundModels: false,
  probeTimeoutMs: 60_000,
  prompt: 'test from litellm',
  imageIntervalMs: 6 * 3_600_000,
}

/** The interval where the user wrote none (LiteLLM's default). */
export const DEFAULT_INTERVAL_MS = 300_000
