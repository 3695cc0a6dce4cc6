import type { RouteName } from '../../core/mode.ts'
import type { Target } from '../adapter.ts'
import { azureUrl } from '../azure/address.ts'
import { OPENAI_ROUTES } from '../openai/surface.ts'
import { joinRoute, withQuery } from '../route.ts'

/** The version of the Model Inference API (https://learn.microsoft.com/rest/api/aifoundry/modelinference). */
const INFERENCE_VERSION = '2024-05-01-preview'
/** What OpenAI's models on Azure have, at their own address. */
const OF_OPENAI: ReadonlySet<RouteName> = new Set<RouteName>(['image_generation', 'image_edit'])

/** What kind of place a base is. */
type Place =
  /** A Foundry resource: every model below `/models`. */
  | 'resource'
  /** Its `/openai/v1` or `/openai/deployments/…`. */
  | 'openai'
  /** One model, deployed on its own, with OpenAI's routes below the base. */
  | 'model'

/**
 * Where a route is served (https://learn.microsoft.com/azure/ai-foundry/foundry-models/concepts/endpoints, read
 * 2026-11-27): `https://<resource>.services.ai.azure.com/models/chat/completions?api-version=`,
 * `…/openai/v1/chat/completions`, or `https://<model>.<region>.models.ai.azure.com/chat/completions`. A base that
 * already ends in the route is used as it is.
 */
export function azureAiUrl(target: Target, route: RouteName): string {
  const { base, apiVersion } = target
  if (route === 'rerank') return rerankUrl(target)
  const path = OPENAI_ROUTES[route]
  const place = placeOf(base)
  if (place === 'openai' || (place === 'resource' && OF_OPENAI.has(route))) {
    return azureUrl({ ...target, base: base.replace(/\/models$/, '') }, route)
  }
  if (place === 'model') {
    const url = joinRoute(base, path)
    return apiVersion === undefined ? url : withQuery(url, 'api-version', apiVersion)
  }
  const url = base.endsWith(path) ? base : `${base.replace(/\/models$/, '')}/models${path}`
  return withQuery(url, 'api-version', apiVersion ?? INFERENCE_VERSION)
}

/** True where bodies may hold members beyond the common ones, if a header says that they are meant for the model. */
export function isInference(base: string): boolean {
  return placeOf(base) !== 'openai'
}

/**
 * Cohere's and Jina's rerankers: `/providers/cohere/v2/rerank` of a resource
 * (https://learn.microsoft.com/azure/ai-foundry/foundry-models/concepts/models-sold-directly-by-azure), `/v1/rerank`
 * of a model deployed on its own (https://learn.microsoft.com/azure/ai-studio/how-to/deploy-models-cohere-rerank).
 */
function rerankUrl({ base }: Target): string {
  if (base.endsWith('/rerank')) return base
  if (/\/v[12]$/.test(base) && !base.endsWith('/openai/v1')) return `${base}/rerank`
  if (base.endsWith('/providers/cohere')) return `${base}/v2/rerank`
  const root = base.replace(/\/(models|openai)(\/.*)?$/, '')
  return placeOf(base) === 'model' ? `${root}/v1/rerank` : `${root}/providers/cohere/v2/rerank`
}

function placeOf(base: string): Place {
  if (/\/openai(\/(v1|deployments)(\/.*)?)?$/.test(base)) return 'openai'
  const path = Object.values(OPENAI_ROUTES).find((each) => base.endsWith(each)) ?? ''
  if (base.slice(0, base.length - path.length).endsWith('/models')) return 'resource'
  return hostOf(base).endsWith('.services.ai.azure.com') ? 'resource' : 'model'
}

/** The name of a base's host. */
export function hostOf(base: string): string {
  return URL.parse(base)?.hostname ?? ''
}
