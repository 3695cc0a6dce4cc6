import type { Json, JsonObject } from './json.ts'
import type { Mode, SurfaceMode, UnprobedMode } from './mode.ts'
import type { Secret } from './secret.ts'

/** One `model_list` entry, parsed: an endpoint that serves a model under a group's name. */
export interface Deployment {
  /** Position in the merged model_list: unique even where two ids collide. */
  readonly index: number
  /** `model_info.id`, or LiteLLM's hash of the litellm_params. */
  readonly id: string
  /** `model_name`: deployments of one name are one load-balanced model group. */
  readonly group: string
  /** `litellm_params.model` as written; what /health shows. */
  readonly model: string
  /** The provider's id (`openai`, `azure`, …), or the unknown prefix as written. */
  readonly provider: string
  /** The model's name in the provider's words: `model` without its provider prefix. */
  readonly upstreamModel: string
  readonly mode: Mode
  /** Where `mode` comes from. */
  readonly modeSource: 'explicit' | 'name' | 'catalogue' | 'default'
  /** Set where the config has it asked in another API's words: its mode is chat, and so it is probed. */
  readonly surfaceMode?: SurfaceMode
  /** Set where the config asks for a mode that we load but cannot probe. */
  readonly unprobedMode?: UnprobedMode
  /** Set where nothing may be sent: an unset variable, an unknown provider or mode. */
  readonly misconfigured?: Misconfiguration
  readonly connection: Connection
  /** Every other litellm_param: merged into JSON bodies where the request has no such field. */
  readonly bodyDefaults: JsonObject
  readonly timeouts: Timeouts
  /** What the config says of this deployment's share in its group's traffic; absent: nothing. */
  readonly traffic?: Traffic
  /** What the config says of the model itself; absent: nothing. */
  readonly facts?: ModelFacts
  /** What must not, or must, go into its bodies; absent: nothing. */
  readonly fieldRules?: DeploymentFieldRules
  /** `mock_response`: answers in place of the provider, which is then never asked. */
  readonly mockResponse?: Json
  /** How long that takes, milliseconds; absent: no time. */
  readonly mockDelayMs?: number
  readonly probe: ProbeSettings
  /** Fields of LiteLLM's allow list that /health shows as they are: `rpm`, `region_name`, `base_model`, … */
  readonly shown: JsonObject
  /** Names that a client's body may set for this deployment (`configurable_clientside_auth_params`). */
  readonly clientConnectionFields: readonly string[]
  /** `litellm_params` for /model/info: secrets removed or masked, file order. */
  readonly shownParams: JsonObject
  /** `model_info` as written, without `id`. */
  readonly info: JsonObject
}

/** The mode as the config has it, and as people are shown it. */
export function shownMode({
  mode,
  surfaceMode,
  unprobedMode,
}: Pick<Deployment, 'mode' | 'surfaceMode' | 'unprobedMode'>): Mode | SurfaceMode | UnprobedMode {
  return unprobedMode ?? surfaceMode ?? mode
}

/** LiteLLM's hash is a SHA-256 in hex; an id that somebody chose hardly ever looks like a hash. */
const HASH = /^[0-9a-f]{32,}$/

/** A deployment's id as sentences name it: a written one as it is (64 characters at most), a hash by its first 12. */
export function shortId(id: string): string {
  return id.slice(0, HASH.test(id) ? 12 : 64)
}

/** Why a deployment cannot be called at all. */
export interface Misconfiguration {
  /** One sentence: what is wrong and where. */
  readonly message: string
}

/** How to reach a deployment. Secrets are opened only by the provider's authorizer. */
export interface Connection {
  readonly apiKey?: Secret
  /** Scheme, host and path only: no user, no query (those are secrets, in `apiBaseQuery` and `headers`). */
  readonly apiBase?: string
  /** The query that `api_base` was written with, without `?`. */
  readonly apiBaseQuery?: Secret
  readonly apiVersion?: string
  /** False: any certificate will do; a text: the PEM file of the authorities. Absent: as for all deployments. */
  readonly sslVerify?: boolean | string
  /** Empty: none, whatever the environment says. */
  readonly organization?: Secret
  readonly azureAdToken?: Secret
  /** `extra_headers` and `headers`, lower-case names. */
  readonly headers: Readonly<Record<string, Secret>>
  /** What only some providers have, by the names of `litellm_params` (`aws_region_name`, `vertex_project`, …). */
  readonly settings?: Readonly<Record<string, string>>
  /** The same of what is secret (`aws_secret_access_key`, `client_secret`, …); a map or list as JSON. */
  readonly secrets?: Readonly<Record<string, Secret>>
}

/** Deadlines of user traffic, milliseconds. Absent: the router's, then 6,000 s. */
export interface Timeouts {
  readonly timeoutMs?: number
  readonly streamTimeoutMs?: number
  /** `ttft_timeout`: to the first event of a stream; absent: `streamTimeoutMs`. */
  readonly firstTokenMs?: number
  /** `stream_idle_timeout`: between two events of a stream; absent: `streamTimeoutMs`. */
  readonly streamIdleMs?: number
}

/** How one deployment takes part in the traffic of its group. */
export interface Traffic {
  /** Retries of a request that failed here; absent: the router's. */
  readonly numRetries?: number
  /** Where the router's number counts: at least so many. */
  readonly leastRetries?: number
  /** How long it is put aside after failures, milliseconds; absent: the upstream's Retry-After, then the router's. */
  readonly cooldownMs?: number
  /** Deployments of a lower number come first; absent: after all that have one. */
  readonly order?: number
  /** Share of the traffic; where the group's first deployment has none, `rpm` counts, then `tpm`. */
  readonly weight?: number
  /** Most requests and tokens a minute. */
  readonly rpm?: number
  readonly tpm?: number
  /** Most requests in flight; absent: the router's number. */
  readonly maxParallelRequests?: number
  /** For requests that are tagged so. */
  readonly tags?: readonly string[]
  /** For requests whose `User-Agent: …` fits one of these. */
  readonly tagPatterns?: readonly RegExp[]
}

/** What is written of a model; what is not may be known of it all the same. */
export interface ModelFacts {
  /** The model behind a deployment whose own name says nothing. */
  readonly baseModel?: string
  readonly maxInputTokens?: number
  /** The price of one token in, and of one token out. */
  readonly inputCost?: number
  readonly outputCost?: number
  /** The price of one image, one query (rerank), one second of sound, one character that is spoken. */
  readonly imageCost?: number
  readonly queryCost?: number
  readonly secondCost?: number
  readonly characterCost?: number
}

/** What is left out of requests for one deployment. */
export interface DeploymentFieldRules {
  /** `drop_params`; absent: `litellm_settings.drop_params` counts. */
  readonly dropParams?: boolean
  /** `additional_drop_params`. */
  readonly drop: readonly string[]
  /** `allowed_openai_params`. */
  readonly keep: readonly string[]
}

/** `health_check_model`, resolved. */
export interface ProbeModel {
  /** As written. */
  readonly model: string
  readonly provider: string
  readonly upstreamModel: string
}

/** The `model_info.health_check_*` knobs of one deployment. */
export interface ProbeSettings {
  /** Deadline of one check; absent: HEALTH_CHECK_TIMEOUT_SECONDS, then 60 s. */
  readonly timeoutMs?: number
  /** `health_check_model`: probed in place of the deployment's own model. */
  readonly model?: ProbeModel
  /** Merged first into the probe; the knobs below win. */
  readonly params: JsonObject
  readonly maxTokens?: number
  readonly maxTokensReasoning?: number
  readonly maxTokensNonReasoning?: number
  /** Forces or forbids a token budget in the probe. */
  readonly supportsMaxTokens?: boolean
  readonly reasoningEffort?: string
  readonly voice?: string
  /** `disable_background_health_check`, or `health_check_rung: none`. */
  readonly backgroundDisabled: boolean
  /** `health_check_rung`: how deep the background looks; absent: as usual. */
  readonly rung?: 'free' | 'minimal' | 'golden'
  /** `health_check_expect`. */
  readonly expect?: Expectation
}

/** What answers to checks must be like; what is absent may be anything. */
export interface Expectation {
  /** The name that the model answers by. */
  readonly model?: RegExp
  /** Numbers in an embedding. */
  readonly dimensions?: number
  /** The question of a golden check, and its right answers. */
  readonly golden?: { readonly prompt: string; readonly answer: RegExp }
}
