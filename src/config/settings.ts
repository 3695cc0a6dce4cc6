import * as z from 'zod'
import type {
  Environment,
  GeneralSettings,
  LibrarySettings,
  NetworkSettings,
  ProbeDefaults,
  RouterSettings,
} from './config.ts'
import { concurrencyOf } from './engine-settings.ts'
import { child, textOf, toJson, type MapNode, type YamlNode } from './node.ts'
import { readRouting } from './routing-settings.ts'
import { generalSettings } from './schema-general.ts'
import { librarySettings } from './schema-library.ts'
import { routerSettings } from './schema-router.ts'
import { flagOrPath, notNegative, positive } from './schema-types.ts'
import type { SecretBag } from './secrets.ts'

/** Takes words about an environment variable that cannot be used. */
export type Complain = (variable: string, message: string) => void

const MB = 1024 * 1024

/**
 * Reads `general_settings` of a root that was resolved and checked; `written` is the root before that.
 * @throws ZodError where it was not checked
 */
export function readGeneral(
  root: MapNode,
  env: Environment,
  bag: SecretBag,
  complain: Complain,
  written: MapNode = root,
): GeneralSettings {
  const node = child(root, 'general_settings')
  const given = generalSettings.parse(node === undefined ? {} : toJson(node))
  const masterKey = given.master_key || env['LITELLM_MASTER_KEY']
  const databaseUrl = given.database_url || given.db_url || env['DATABASE_URL']
  const interval =
    given.health_check_interval ?? variable(env, 'DEFAULT_HEALTH_CHECK_INTERVAL', positive, complain)
  const { total: concurrency } = concurrencyOf(given.health_check_concurrency)
  const groups = given.background_health_check_model_groups
  const drainTimeout = variable(env, 'GRACEFUL_SHUTDOWN_TIMEOUT', notNegative, complain) ?? 30
  return {
    ...(masterKey && { masterKey: bag.keep(masterKey) }),
    isMasterKeyUnset: !masterKey && isWritten(child(child(written, 'general_settings'), 'master_key')),
    ...(databaseUrl && { databaseUrl: bag.keep(databaseUrl) }),
    backgroundHealthChecks: given.background_health_checks ?? false,
    ...(interval !== undefined && { healthCheckIntervalMs: interval * 1000 }),
    healthCheckDetails: given.health_check_details ?? true,
    ...(concurrency !== undefined && { healthCheckConcurrency: concurrency }),
    ...(groups && { backgroundHealthCheckModelGroups: groups }),
    skipDisabledBackgroundModels: given.health_check_skip_disabled_background_models ?? false,
    ...(given.health_check_on_request && { healthCheckOnRequest: given.health_check_on_request }),
    ...(given.health_check_rung && { healthCheckRung: given.health_check_rung }),
    ignoreTransientErrors: given.health_check_ignore_transient_errors ?? false,
    ...(typeof given.allow_public_health_readiness_details === 'boolean' && {
      allowPublicReadinessDetails: given.allow_public_health_readiness_details,
    }),
    ...(typeof given.allow_requests_on_db_unavailable === 'boolean' && {
      allowRequestsOnDbUnavailable: given.allow_requests_on_db_unavailable,
    }),
    ...(given.moderation_model && { moderationModel: given.moderation_model }),
    drainDelayMs: (given.drain_delay ?? 5) * 1000,
    drainTimeoutMs: drainTimeout * 1000,
    maxInFlight: given.global_max_parallel_requests ?? 10_000,
    maxRequestBytes: Math.floor((given.max_request_size_mb ?? 100) * MB),
    logSuccessSample: given.log_success_sample ?? 0.01,
    clientHeadersTimeoutMs: Math.ceil((given.client_headers_timeout ?? 60) * 1000),
    clientRequestTimeoutMs: Math.ceil((given.client_request_timeout ?? 300) * 1000),
  }
}

/** Something stands there: a reference counts, also where its variable is not set. */
function isWritten(node: YamlNode | undefined): boolean {
  return (textOf(node) ?? '') !== ''
}

/** Reads `router_settings`. */
export function readRouter(root: MapNode): RouterSettings {
  const node = child(root, 'router_settings')
  const given = routerSettings.parse(node === undefined ? {} : toJson(node))
  const seconds = given.stream_timeout ?? readLibraryBlock(root).stream_timeout
  const { ttft_timeout: first, stream_idle_timeout: idle } = given
  return {
    ...readRouting(root),
    ...(seconds && { streamTimeoutMs: seconds * 1000 }),
    ...(first && { firstTokenMs: first * 1000 }),
    ...(idle && { streamIdleMs: idle * 1000 }),
  }
}

/** Reads `litellm_settings`; `router_settings.timeout` wins over `request_timeout`. */
export function readLibrary(root: MapNode): LibrarySettings {
  const given = readLibraryBlock(root)
  const router = child(root, 'router_settings')
  const routerTimeout = routerSettings.parse(router === undefined ? {} : toJson(router)).timeout
  return {
    requestTimeoutMs: (routerTimeout ?? given.request_timeout ?? 6000) * 1000,
    rewriteResponseModel: given.rewrite_response_model ?? false,
    metricsNeedKey: given.require_auth_for_metrics_endpoint ?? true,
    dropParams: given.drop_params ?? false,
    mediaHosts: given.user_url_allowed_hosts ?? [],
  }
}

/** Reads how upstreams are connected to; SSL_VERIFY beats the config, as in LiteLLM. */
export function readNetwork(root: MapNode, env: Environment): NetworkSettings {
  const general = child(root, 'general_settings')
  const seconds = generalSettings.parse(general === undefined ? {} : toJson(general)).connect_timeout ?? 3
  const fromEnv = env['SSL_VERIFY']?.trim()
  const sslVerify = fromEnv ? flagOrPath.parse(fromEnv) : readLibraryBlock(root).ssl_verify
  const authoritiesPath = env['SSL_CERT_FILE']?.trim()
  return {
    connectTimeoutMs: seconds * 1000,
    sslVerify: sslVerify ?? true,
    ...(authoritiesPath && { authoritiesPath }),
  }
}

function readLibraryBlock(root: MapNode): z.output<typeof librarySettings> {
  const node = child(root, 'litellm_settings')
  return librarySettings.parse(node === undefined ? {} : toJson(node))
}

/** What the environment says of probes. */
export function readProbeDefaults(env: Environment, complain: Complain): ProbeDefaults {
  const seconds = variable(env, 'HEALTH_CHECK_TIMEOUT_SECONDS', positive, complain) ?? 60
  const maxTokens = variable(env, 'BACKGROUND_HEALTH_CHECK_MAX_TOKENS', WHOLE, complain)
  const reasoning = variable(env, 'BACKGROUND_HEALTH_CHECK_MAX_TOKENS_REASONING', WHOLE, complain)
  return {
    timeoutMs: Math.ceil(seconds * 1000),
    prompt: env['DEFAULT_HEALTH_CHECK_PROMPT'] || 'test from litellm',
    ...(maxTokens !== undefined && { maxTokens }),
    ...(reasoning !== undefined && { maxTokensReasoning: reasoning }),
  }
}

const WHOLE = positive.refine((value) => Number.isInteger(value), { error: 'must be a whole number' })

/** A number from the environment; one that cannot be read counts as not set, and is complained of. */
function variable(
  env: Environment,
  name: string,
  type: z.ZodType<number>,
  complain: Complain,
): number | undefined {
  const text = env[name]
  if (text === undefined || text.trim() === '') return undefined
  const result = type.safeParse(text)
  if (result.success) return result.data
  complain(
    name,
    `the environment variable ${name} ${result.error.issues[0]?.message ?? 'cannot be read'}; ignored`,
  )
  return undefined
}
