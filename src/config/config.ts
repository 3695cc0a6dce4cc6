import type { Deployment } from '../core/deployment.ts'
import type { EngineSettings } from '../core/engine-settings.ts'
import type { FallbackLists } from '../core/fallback.ts'
import type { FailureKind } from '../core/failure.ts'
import type { HedgeRule } from '../core/hedge-rule.ts'
import type { ModelAlias } from '../core/model-alias.ts'
import type { RoutingStrategy } from '../core/routing-strategy.ts'
import type { Secret } from '../core/secret.ts'
import type { MapNode } from './node.ts'
import type { Problem } from './problem.ts'
import type { MeetingPlace } from '../core/meeting-place.ts'

/** Names to values, as the operating system gives them. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A config.yaml, read: everything the program is told from outside. Times are milliseconds. */
export interface Config {
  /** As the user wrote it; `--model NAME` where there is no file. */
  readonly path: string
  /** In file order, `include`d ones after; an `organization` list makes several. */
  readonly deployments: readonly Deployment[]
  readonly general: GeneralSettings
  readonly router: RouterSettings
  /** What rules the health engine, from both of them. */
  readonly engine: EngineSettings
  /** Where replicas share checks; absent: they do not. */
  readonly sharing?: MeetingPlace
  readonly litellm: LibrarySettings
  readonly probing: ProbeDefaults
  readonly network: NetworkSettings
  /** The process environment, completed by `.env` and then by `environment_variables`. */
  readonly env: Environment
  /** Every secret found anywhere in the config or the environment, once each. */
  readonly secrets: readonly Secret[]
  /** Paths of settings that are set and known, but that this version does not act on. */
  readonly notActedOn: readonly string[]
}

/** What loading gives: the config unless a problem is fatal, and all problems at once. */
export interface Loaded {
  readonly config?: Config
  /** What the config was read from, for explanations; whoever keeps it keeps all of the text in memory. */
  readonly written?: Written
  readonly problems: readonly Problem[]
}

/** A config as it stands in its files. */
export interface Written {
  readonly root: MapNode
  /** The entry of each deployment, by its index. */
  readonly entries: readonly MapNode[]
}

/** `general_settings`: the server, its key, its health checks. */
export interface GeneralSettings {
  /** From the config, or LITELLM_MASTER_KEY. Absent: everything is open. */
  readonly masterKey?: Secret
  /** A master key is written, but its variable is not set: nobody may pass, rather than everybody. */
  readonly isMasterKeyUnset: boolean
  /** From the config, or DATABASE_URL. */
  readonly databaseUrl?: Secret
  readonly backgroundHealthChecks: boolean
  /** Absent: not written, so that a default with idle back-off applies. */
  readonly healthCheckIntervalMs?: number
  readonly healthCheckDetails: boolean
  /** Most probes in flight at once; absent: no limit of the user's. */
  readonly healthCheckConcurrency?: number
  /** Model groups that the background loop is limited to; absent: all. */
  readonly backgroundHealthCheckModelGroups?: readonly string[]
  /** Live checks leave out deployments with `disable_background_health_check` too. */
  readonly skipDisabledBackgroundModels: boolean
  /** Overrides what `GET /health` does; absent: live without background checks, a memory read with them. */
  readonly healthCheckOnRequest?: 'always' | 'stale' | 'never'
  /** `minimal`: dear modes are probed in full at each interval. */
  readonly healthCheckRung?: 'auto' | 'minimal'
  /** 429 and 408 of probes change neither routing nor cooldown. */
  readonly ignoreTransientErrors: boolean
  /** Absent counts as true; only a written `false` shortens the readiness body. */
  readonly allowPublicReadinessDetails?: boolean
  /** Only a written `false` makes readiness depend on the database. */
  readonly allowRequestsOnDbUnavailable?: boolean
  /** How long new requests are still served after SIGTERM. */
  readonly drainDelayMs: number
  /** How long streams may go on after that. */
  readonly drainTimeoutMs: number
  /** Most requests in flight in all. */
  readonly maxInFlight: number
  /** Largest JSON body a client may send, bytes. */
  readonly maxRequestBytes: number
  /** Share of the good answers that are logged, 0 to 1. */
  readonly logSuccessSample: number
  /** How long a client may take to send its headers, and all of its request. */
  readonly clientHeadersTimeoutMs: number
  readonly clientRequestTimeoutMs: number
  /** Asked for moderations that name no model; absent: the only one of mode moderation. */
  readonly moderationModel?: string
}

/** Numbers by kind of failure; an absent kind follows the plain number. */
export type NumberByKind = Readonly<Partial<Record<FailureKind, number>>>

/** Which deployment of a group is asked. */
export interface ChoiceSettings {
  readonly strategy: RoutingStrategy
  /** `routing_strategy_args.ttl`: how far back latencies count. */
  readonly latencyWindowMs: number
  /** `routing_strategy_args.lowest_latency_buffer`: 0.5 lets those up to half slower than the fastest take part. */
  readonly latencySlack: number
  /** Most requests in flight per deployment that has no number of its own; absent: no limit. */
  readonly defaultMaxParallelRequests?: number
  /** `model_group_alias`, by alias. */
  readonly aliases: ReadonlyMap<string, ModelAlias>
  readonly tags: TagSettings
  /** `enable_pre_call_checks`: requests that are too long for a model are not sent to it. */
  readonly checksContextWindow: boolean
}

/** Choice by tags. */
export interface TagSettings {
  readonly isEnabled: boolean
  /** One common tag is enough; else the deployment must have all of the request's. */
  readonly matchesAny: boolean
}

/** Who is asked, and what happens to a request that failed, and to the deployment it failed at. */
export interface RoutingSettings extends ChoiceSettings {
  /** Most retries within a model group. */
  readonly numRetries: number
  /** `retry_policy`. */
  readonly retryPolicy: NumberByKind
  /** `model_group_retry_policy`; it beats `retry_policy`. */
  readonly groupRetryPolicies: ReadonlyMap<string, NumberByKind>
  /** `retry_budget`: retries of a group as a share of its recent requests. */
  readonly retryShare: number
  /** `retry_after`: the shortest wait before the same deployment is asked again. */
  readonly leastWaitMs: number
  /** `default_fallbacks` stand under `*`. */
  readonly fallbacks: FallbackLists
  readonly contextWindowFallbacks: FallbackLists
  readonly contentPolicyFallbacks: FallbackLists
  /** How deep fallbacks of fallbacks go. */
  readonly maxFallbacks: number
  /** `model_group_hedge`, by model group. */
  readonly hedges: ReadonlyMap<string, HedgeRule>
  readonly cooldowns: CooldownSettings
}

/** When failing traffic puts a deployment aside. */
export interface CooldownSettings {
  /** False: failing traffic puts nobody aside. */
  readonly isEnabled: boolean
  /** The first wait before a deployment that is down is tried again; absent: the engine's default. */
  readonly cooldownMs?: number
  /** Failures a minute; absent: the engine's own judgement. */
  readonly allowedFails?: number
  /** `allowed_fails_policy`. */
  readonly allowedFailsByKind: NumberByKind
}

/** `router_settings` that this version acts on. */
export interface RouterSettings extends RoutingSettings {
  /** Longest silence of a stream; absent: the request timeout, 600 s at most. */
  readonly streamTimeoutMs?: number
  /** `ttft_timeout`; absent: `streamTimeoutMs`. */
  readonly firstTokenMs?: number
  /** `stream_idle_timeout`; absent: `streamTimeoutMs`. */
  readonly streamIdleMs?: number
}

/** `litellm_settings` that this version acts on. */
export interface LibrarySettings {
  /** Deadline of a request where the deployment has none; `router_settings.timeout` wins. */
  readonly requestTimeoutMs: number
  /** Put the requested name into answers' `model`. */
  readonly rewriteResponseModel: boolean
  /** `GET /metrics` asks for the key. */
  readonly metricsNeedKey: boolean
  /** Leave out of requests what their provider is known to refuse, where a deployment says nothing else. */
  readonly dropParams: boolean
  /** Hosts from which pictures and files may be fetched although their address is private. */
  readonly mediaHosts: readonly string[]
}

/** How upstreams are connected to. */
export interface NetworkSettings {
  /** Patience for TCP, proxy and TLS together. */
  readonly connectTimeoutMs: number
  /** False: any certificate will do; a text: the PEM file of the authorities to trust. */
  readonly sslVerify: boolean | string
  /** SSL_CERT_FILE: authorities where `sslVerify` is true. */
  readonly authoritiesPath?: string
}

/** What the environment says of probes. */
export interface ProbeDefaults {
  /** HEALTH_CHECK_TIMEOUT_SECONDS. */
  readonly timeoutMs: number
  /** DEFAULT_HEALTH_CHECK_PROMPT. */
  readonly prompt: string
  /** BACKGROUND_HEALTH_CHECK_MAX_TOKENS. */
  readonly maxTokens?: number
  /** BACKGROUND_HEALTH_CHECK_MAX_TOKENS_REASONING. */
  readonly maxTokensReasoning?: number
}
