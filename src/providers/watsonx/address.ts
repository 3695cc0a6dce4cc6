import { GatewayError } from '../../core/failure.ts'
import type { Target } from '../adapter.ts'
import { withQuery } from '../route.ts'

/** The date of the API whose words are spoken; every one since is answered alike. */
const VERSION = '2024-10-08'
/** Of models that a user has deployed: `watsonx/deployment/<id>`. */
const DEPLOYMENT = 'deployment/'

/** The routes below `/ml/v1` (https://cloud.ibm.com/apidocs/watsonx-ai). */
export type WatsonxRoute =
  | 'text/chat'
  | 'text/chat_stream'
  | 'text/generation'
  | 'text/generation_stream'
  | 'text/embeddings'
  | 'text/rerank'

/** Routes that deployed models have too. */
const OF_DEPLOYMENTS: ReadonlySet<WatsonxRoute> = new Set<WatsonxRoute>([
  'text/chat',
  'text/chat_stream',
  'text/generation',
  'text/generation_stream',
])

/** True where the target is a deployed model, which its path names and its body does not. */
export function isDeployment({ model }: Pick<Target, 'model'>): boolean {
  return model.startsWith(DEPLOYMENT)
}

/** @throws GatewayError misconfigured where deployed models have no such route */
export function watsonxUrl(target: Target, route: WatsonxRoute): string {
  if (isDeployment(target) && !OF_DEPLOYMENTS.has(route)) {
    throw new GatewayError(
      'misconfigured',
      `watsonx serves ${route} of foundation models only: write watsonx/<model>, not watsonx/deployment/<id>`,
      { source: 'gateway' },
    )
  }
  const of = isDeployment(target)
    ? `deployments/${encodeURIComponent(target.model.slice(DEPLOYMENT.length).toWellFormed())}/`
    : ''
  return versioned(target, `${rootOf(target.base)}/ml/v1/${of}${route}`)
}

/** A list of models, one long: free, and asked with the token. */
export function watsonxModelsUrl(target: Target): string {
  return withQuery(versioned(target, `${rootOf(target.base)}/ml/v1/foundation_model_specs`), 'limit', '1')
}

function versioned({ apiVersion }: Target, url: string): string {
  return withQuery(url, 'version', apiVersion ?? VERSION)
}

/** The base without the path that it may have been pasted with. */
function rootOf(base: string): string {
  return base.replace(/\/ml\/v1(\/.*)?$/, '')
}
