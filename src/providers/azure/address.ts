import type { RouteName } from '../../core/mode.ts'
import type { RealtimeKeyRoute, Target } from '../adapter.ts'
import { OPENAI_ROUTES, routeBelow } from '../openai/surface.ts'
import { withQuery } from '../route.ts'

/** The newest dated version that is generally available for inference (decided default). */
const DATED_VERSION = '2024-10-21'
/** Dated realtime never left preview. */
const DATED_REALTIME_VERSION = '2024-10-01-preview'
/** The first dated version with keys for browsers; they never left preview either. */
const DATED_REALTIME_KEY_VERSION = '2025-04-01-preview'
const V1_WORDS = new Set(['v1', 'preview', 'latest'])

/** Paths that belong to the resource rather than to one deployment of it, as OpenAI's SDK for Azure asks for them. */
const OF_THE_RESOURCE: ReadonlySet<RouteName> = new Set<RouteName>(['batch', 'moderation'])

/**
 * Where a route is served. Dated versions: `{base}/openai/deployments/{deployment}/…?api-version=`, batches at
 * `{base}/openai/batches`; `api_version` v1, preview or latest, or a base that ends in `/openai/v1`:
 * `{base}/openai/v1/…`. A base that already names the deployment, or the whole route, is used as it is.
 * https://learn.microsoft.com/azure/ai-foundry/openai/reference
 */
export function azureUrl(target: Target, route: RouteName): string {
  const path = OPENAI_ROUTES[route]
  if (isV1(target)) {
    const url = target.base.endsWith(path) ? target.base : `${resource(target.base)}/openai/v1${path}`
    return target.apiVersion === 'preview' ? withQuery(url, 'api-version', 'preview') : url
  }
  const url = OF_THE_RESOURCE.has(route)
    ? `${resource(target.base)}/openai${path}`
    : routeBelow(deploymentBase(target), route)
  return withQuery(url, 'api-version', target.apiVersion ?? DATED_VERSION)
}

/** The first dated version with the Responses API. */
const FIRST_DATED_RESPONSES = '2025-03-01-preview'

/**
 * Responses: `{base}/openai/responses?api-version=` of the dated versions that have them, `{base}/openai/v1/responses`
 * for all others (https://learn.microsoft.com/azure/ai-foundry/openai/how-to/responses).
 */
export function azureResponsesUrl(target: Target): string {
  const { apiVersion = '' } = target
  if (isV1(target) || apiVersion < FIRST_DATED_RESPONSES) {
    const url = `${resource(target.base)}/openai/v1/responses`
    return apiVersion === 'preview' ? withQuery(url, 'api-version', 'preview') : url
  }
  return withQuery(`${resource(target.base)}/openai/responses`, 'api-version', apiVersion)
}

/** Realtime: `/openai/realtime?deployment=` of the dated versions, `/openai/v1/realtime?model=` since. */
export function azureRealtimeUrl(target: Target): string {
  const root = `${resource(target.base)}/openai`
  const name = encodeURIComponent(deploymentName(target.model))
  if (isV1(target)) return `${root}/v1/realtime?model=${name}`
  const version = encodeURIComponent(target.apiVersion ?? DATED_REALTIME_VERSION)
  return `${root}/realtime?api-version=${version}&deployment=${name}`
}

/** Files and batches: `{base}/openai/files?api-version=`, `{base}/openai/v1/files` since. */
export function azureObjectsUrl(target: Target, path: string): string {
  const url = ofResource(target, path)
  return target.apiVersion === 'preview' ? withQuery(url, 'api-version', 'preview') : url
}

/**
 * Keys for browsers: `/openai/v1/realtime/client_secrets`; of the dated versions `/openai/realtimeapi/sessions` is the
 * one that Azure documents (https://learn.microsoft.com/azure/ai-foundry/openai/realtime-audio-webrtc).
 */
export function azureRealtimeKeyUrl(target: Target, route: RealtimeKeyRoute): string {
  const root = `${resource(target.base)}/openai`
  if (isV1(target) || route === 'client_secrets') return `${root}/v1/realtime/${route}`
  const version = target.apiVersion ?? DATED_REALTIME_KEY_VERSION
  return withQuery(`${root}/realtimeapi/${route}`, 'api-version', version)
}

/**
 * Calls over WebRTC, which the dated versions have at other hosts: `{base}/openai/v1/realtime/calls`
 * (https://learn.microsoft.com/azure/foundry/reference/rest/realtime-create-realtime-call).
 */
export function azureRealtimeCallsUrl(target: Target): string | undefined {
  return isV1(target) ? `${resource(target.base)}/openai/v1/realtime/calls` : undefined
}

/** The resource's list of models: `{base}/openai/models?api-version=`, `{base}/openai/v1/models` since. */
export function azureModelsUrl(target: Target): string {
  return ofResource(target, '/models')
}

/** LiteLLM's routing words before a deployment's name are not part of it. Half a character stands in no URL. */
export function deploymentName(model: string): string {
  return model.replace(/^(o_series|gpt5_series)\//, '').toWellFormed()
}

/** False where neither the model nor the base says which deployment is meant. */
export function namesDeployment(target: Target): boolean {
  return deploymentName(target.model) !== '' || target.base.includes('/openai/deployments/')
}

function isV1(target: Target): boolean {
  return V1_WORDS.has(target.apiVersion ?? '') || /\/openai\/v1(\/|$)/.test(target.base)
}

/** The base without anything that we append ourselves. */
function resource(base: string): string {
  return base.replace(/\/openai(\/(v1|deployments)(\/.*)?)?$/, '')
}

function ofResource(target: Target, path: string): string {
  const root = `${resource(target.base)}/openai`
  return isV1(target)
    ? `${root}/v1${path}`
    : withQuery(root + path, 'api-version', target.apiVersion ?? DATED_VERSION)
}

function deploymentBase(target: Target): string {
  if (target.base.includes('/openai/deployments/')) return target.base
  const name = deploymentName(target.model).split('/').map(encodeURIComponent).join('/')
  return `${resource(target.base)}/openai/deployments/${name}`
}
