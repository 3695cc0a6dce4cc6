import type { Deployment, Misconfiguration } from '../../core/deployment.ts'
import type { Connected } from '../adapter.ts'
import { authorizedBy } from '../auth/authorize.ts'
import { targetOf } from '../auth/connect.ts'
import { authorizedByGoogle } from '../auth/google.ts'
import { findGoogleCredentials } from '../auth/google-credentials.ts'
import type { Env } from '../auth/key.ts'
import { USUAL_LOCATION, usualLocation, vertexBase } from './address.ts'
import { vertexModel } from './model-name.ts'

/** Deployed models that are asked for predictions in a form of their own. */
const OWN_FORM = /^(?:bge|gemma)\//

/** Credentials, project and location of a deployment. Credentials in files are read here, once. */
export function connectVertex(written: Deployment, env: Env): Connected | Misconfiguration {
  const deployment = withTunedGemini(written)
  if (OWN_FORM.test(deployment.upstreamModel))
    return {
      message: `"${deployment.upstreamModel}" is asked in a form that is not built: an endpoint that speaks OpenAI's words is written as vertex_ai/openai/<endpoint id>`,
    }
  const { apiKey, headers, secrets = {} } = deployment.connection
  const found = secrets['vertex_credentials'] ?? secrets['vertex_ai_credentials']
  // Whoever writes the header himself, or a key, needs no token.
  const hasOwn = headers['authorization'] !== undefined
  if (found === undefined && (hasOwn || (apiKey !== undefined && apiKey.reveal() !== '')))
    return connectByKey(deployment, env)
  const credentials = findGoogleCredentials(found, env)
  if ('message' in credentials) return credentials
  const base = vertexBase(deployment, env, credentials)
  if (typeof base !== 'string') return base
  return authorizedByGoogle(credentials, deployment, targetOf(deployment, base))
}

/** A name may say where it is served, that it is a deployed model, or that a key alone will not do. */
export function readsVertexName(model: string): boolean {
  if (OWN_FORM.test(model) || usualLocation(model) !== USUAL_LOCATION) return true
  const { words, resource } = vertexModel(model)
  return words !== 'google' || resource.startsWith('endpoints/')
}

/** A number alone is an endpoint that speaks OpenAI's words, unless something says that it is a Gemini. */
function withTunedGemini(deployment: Deployment): Deployment {
  const { upstreamModel: model, provider, facts } = deployment
  const isGemini = provider === 'vertex_ai_beta' || facts?.baseModel?.includes('gemini') === true
  return /^\d+$/.test(model) && isGemini ? { ...deployment, upstreamModel: `gemini/${model}` } : deployment
}

/** An access token of Google's begins like this; any other key is an API key (https://cloud.google.com/vertex-ai/generative-ai/docs/start/api-keys). */
const ACCESS_TOKEN = /^ya29\./

function connectByKey(deployment: Deployment, env: Env): Connected | Misconfiguration {
  const { apiKey } = deployment.connection
  const base = vertexBase(deployment, env, { isKeyAlone: apiKey !== undefined })
  if (typeof base !== 'string') return base
  const isToken = apiKey !== undefined && ACCESS_TOKEN.test(apiKey.reveal())
  const credentials =
    apiKey === undefined
      ? []
      : [
          isToken
            ? { name: 'authorization', prefix: 'Bearer ', secret: apiKey }
            : { name: 'x-goog-api-key', prefix: '', secret: apiKey },
        ]
  return authorizedBy(credentials, deployment, targetOf(deployment, base))
}
