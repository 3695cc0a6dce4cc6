import { shownMode } from '../core/deployment.ts'
import type { Deployment } from '../core/deployment.ts'
import { failureRow } from '../core/failure.ts'
import type { FailureKind } from '../core/failure.ts'
import type { Health, HealthState, Residence } from '../core/health.ts'
import type { Json, JsonObject } from '../core/json.ts'
import type { UnhealthyVerdict } from '../core/verdict.ts'
import type { Board } from './board.ts'
import { isUnhealthy } from './engine/eligibility.ts'

/** The body of GET /health: LiteLLM's two lists and counts, and those that have no verdict yet. */
export interface HealthReport {
  readonly healthy_endpoints: readonly HealthEntry[]
  readonly unhealthy_endpoints: readonly HealthEntry[]
  readonly healthy_count: number
  readonly unhealthy_count: number
  /** Both absent where every deployment has a verdict. */
  readonly unknown_endpoints?: readonly HealthEntry[]
  readonly unknown_count?: number
  /** Only while our own network fails, so that nobody is called down. */
  readonly self_isolated?: true
}

/** Whether its model is in memory, where an engine loads models when they are asked. */
export interface ResidenceFields {
  readonly model_loaded?: boolean
  /** When the engine lets it go unless it is asked again, ISO 8601. */
  readonly model_loaded_until?: string
}

/** One deployment in /health: LiteLLM's fields, then ours. A key without a value is absent, never null. */
export interface HealthEntry extends ResidenceFields {
  /** The model that was probed. */
  readonly model: string
  readonly model_id: string
  /** LiteLLM's status of the failure; only where unhealthy. */
  readonly exception_status?: number
  readonly health_state: HealthState
  /** When the newest check ended, ISO 8601. */
  readonly checked_at?: string
  /** Only with details: the model's name in the config, where another one was probed. */
  readonly configured_model?: string
  readonly model_name?: string
  readonly mode?: string
  readonly reason?: FailureKind
  readonly latency_ms?: number
  /** When `health_state` was entered, ISO 8601. */
  readonly since?: string
  /** Nothing was learned of it for twice the interval; absent: it is fresh. */
  readonly stale?: true
  /** When it is looked at next, ISO 8601. */
  readonly next_check_at?: string
  readonly [field: string]: Json | undefined
}

/** Fields that the config says of a deployment and LiteLLM shows, in its order. */
const SHOWN_FIELDS = [
  'aws_bedrock_runtime_endpoint',
  'custom_llm_provider',
  'base_model',
  'aws_region_name',
  'region_name',
  'watsonx_region_name',
  'vertex_project',
  'vertex_location',
  'tpm',
  'rpm',
] as const

/**
 * The board as LiteLLM's JSON, in the order of `scope`. Which list: unhealthy where the state says so, or where the
 * newest probe failed and nothing later disproved it; unknown where nothing is known; else healthy. Without details an entry has
 * exactly `model`, `model_id`, `exception_status`, `health_state` and `checked_at`.
 */
export function report(
  scope: readonly Deployment[],
  board: Pick<Board, 'health' | 'isIsolated'>,
  options: ReportOptions,
): HealthReport {
  const lists: Record<HealthList, HealthEntry[]> = { healthy: [], unhealthy: [], unknown: [] }
  for (const deployment of scope) {
    const health = board.health(deployment.index)
    const list = listOf(health)
    lists[list].push(entryOf(deployment, health, list, options))
  }
  const { healthy, unhealthy, unknown } = lists
  return {
    healthy_endpoints: healthy,
    unhealthy_endpoints: unhealthy,
    healthy_count: healthy.length,
    unhealthy_count: unhealthy.length,
    ...(unknown.length === 0 ? {} : { unknown_endpoints: unknown, unknown_count: unknown.length }),
    ...(board.isIsolated() && { self_isolated: true }),
  }
}

/** How much of each deployment is shown. */
export interface ReportOptions {
  readonly details: boolean
  /** How fresh what is known of it is; absent: nobody knows. */
  readonly freshness?: (index: number) => Freshness
}

/** States of the healthy list that have a reason still. */
const LIMPING: ReadonlySet<HealthState> = new Set(['SUSPECT', 'SATURATED', 'DEGRADED'])

/** Is it one of the healthy list that has a reason still? */
export function isLimping(state: HealthState): boolean {
  return LIMPING.has(state)
}

/** How old what is known of a deployment is, and when that changes. */
export interface Freshness {
  readonly isStale: boolean
  /** Milliseconds since 1970; undefined: no look is planned. */
  readonly nextCheckAt: number | undefined
}

/** The lists of the report. */
export type HealthList = 'healthy' | 'unhealthy' | 'unknown'

/** A deployment's entry, for its list. */
export function entryOf(
  deployment: Deployment,
  health: Health,
  list: HealthList,
  options: ReportOptions,
): HealthEntry {
  if (!options.details) return bareEntry(deployment, health, list)
  return fullEntry(deployment, health, list, options.freshness?.(deployment.index))
}

/** Which list a deployment stands in. */
export function listOf({ state, verdict, isDisproved }: Health): HealthList {
  if (isUnhealthy(state)) return 'unhealthy'
  if (verdict === undefined) return state === 'UNKNOWN' ? 'unknown' : 'healthy'
  return verdict.kind === 'unhealthy' && isDisproved !== true ? 'unhealthy' : 'healthy'
}

function bareEntry(deployment: Deployment, health: Health, list: HealthList): HealthEntry {
  const { verdict, state } = health
  return {
    model: verdict?.probedModel ?? deployment.model,
    model_id: deployment.id,
    ...(list === 'unhealthy' && { exception_status: statusOf(health) }),
    health_state: state,
    ...checkedAt(health),
  }
}

function fullEntry(
  deployment: Deployment,
  health: Health,
  list: HealthList,
  freshness: Freshness | undefined,
): HealthEntry {
  const { verdict, state } = health
  const model = verdict?.probedModel ?? deployment.model
  const isUnhealthyEntry = list === 'unhealthy'
  const why = list === 'healthy' && !LIMPING.has(state) ? undefined : health.reason
  const reason = isUnhealthyEntry && verdict?.kind === 'unhealthy' ? verdict.reason : why
  return {
    ...connection(deployment),
    ...shown(deployment),
    model,
    ...verdict?.headers,
    ...(isUnhealthyEntry && failure(health)),
    model_id: deployment.id,
    ...(isUnhealthyEntry && { exception_status: statusOf(health) }),
    model_name: deployment.group,
    ...(model === deployment.model ? {} : { configured_model: deployment.model }),
    mode: shownMode(deployment),
    health_state: state,
    ...(reason === undefined ? {} : { reason }),
    ...checkedAt(health),
    ...(verdict === undefined ? {} : { latency_ms: Math.round(verdict.latencyMs) }),
    ...residenceFields(health),
    ...freshnessOf(health, freshness),
  }
}

/** As the newest free look saw it. */
export function residenceFields({ residence }: { readonly residence?: Residence }): ResidenceFields {
  if (residence === undefined) return {}
  const { isLoaded, until } = residence
  return { model_loaded: isLoaded, ...(until !== undefined && { model_loaded_until: isoTime(until) }) }
}

function freshnessOf({ since }: Health, freshness: Freshness | undefined): JsonObject {
  return {
    since: isoTime(since),
    ...(freshness?.isStale === true && { stale: true }),
    ...(freshness?.nextCheckAt !== undefined && { next_check_at: isoTime(freshness.nextCheckAt) }),
  }
}

function connection({ connection: { apiBase, apiVersion } }: Deployment): JsonObject {
  return {
    ...(apiBase === undefined ? {} : { api_base: apiBase }),
    ...(apiVersion === undefined ? {} : { api_version: apiVersion }),
  }
}

function shown(deployment: Deployment): JsonObject {
  const fields: Record<string, Json> = {}
  for (const field of SHOWN_FIELDS) {
    const value = deployment.shown[field]
    if (value !== undefined && value !== null) fields[field] = value
  }
  return fields
}

/** As LiteLLM: null where nothing was sent, absent where our deadline passed. Clients' own requests are never shown. */
function failure({ state, verdict, error, reason }: Health): JsonObject {
  if (state === 'ISOLATED') return { error: error ?? state }
  if (verdict?.kind !== 'unhealthy') {
    const fix = reason === undefined ? '' : ` What to do: ${failureRow(reason).fix}.`
    return { error: error ?? `${reason ?? 'failed'}.${fix}` }
  }
  const { request } = verdict
  if (request === undefined && verdict.reason === 'timeout') return { error: verdict.error }
  return {
    error: verdict.error,
    raw_request_typed_dict: request === undefined ? null : rawRequest(request),
  }
}

function rawRequest(request: NonNullable<UnhealthyVerdict['request']>): JsonObject {
  return {
    raw_request_api_base: request.url,
    raw_request_body: request.body,
    raw_request_headers: request.headers,
    error: null,
  }
}

function statusOf({ verdict, reason }: Health): number {
  if (verdict?.kind === 'unhealthy') return verdict.exceptionStatus
  return failureRow(reason ?? 'internal').ownStatus
}

function checkedAt({ verdict }: Health): { readonly checked_at?: string } {
  return verdict === undefined ? {} : { checked_at: isoTime(verdict.at) }
}

function isoTime(at: number): string {
  return new Date(at).toISOString()
}
