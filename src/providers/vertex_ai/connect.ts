import type { Deployment, Misconfiguration } from '../../core/deployment.ts'
import type { Connected } from '../adapter.ts'
import { authorizedBy } from '../auth/authorize.ts'
import { targetOf } from '../auth/connect.ts'
import { authorizedByGoogle } from '../auth/google.ts'
import { findGoogleCredentials } from '../auth/google-credentials.ts'
import type { Env } from '../auth/key.ts'
import { vertexBase } from './address.ts'

/** Models of others that Vertex AI serves in words that are not spoken here: OpenAI's, Mistral's, AI21's. */
const FOREIGN =
  /^(meta|mistralai|mistral|codestral|ai21|jamba|deepseek-ai|qwen|openai|moonshotai|minimaxai|zai-org|xai)\b/

/** Credentials, project and location of a deployment. Credentials in files are read here, once. */
export function connectVertex(deployment: Deployment, env: Env): Connected | Misconfiguration {
  if (FOREIGN.test(deployment.upstreamModel))
    return {
      message: `"${deployment.upstreamModel}" is no model of Google's or Anthropic's: others on Vertex AI are not built; its OpenAI-compatible endpoint can be written as openai/<model> with an api_base`,
    }
  const { apiKey, headers, secrets = {} } = deployment.connection
  const written = secrets['vertex_credentials'] ?? secrets['vertex_ai_credentials']
  // Whoever writes the header himself, or a key, needs no token.
  const hasOwn = headers['authorization'] !== undefined
  if (written === undefined && (hasOwn || (apiKey !== undefined && apiKey.reveal() !== '')))
    return connectByKey(deployment, env)
  const credentials = findGoogleCredentials(written, env)
  if ('message' in credentials) return credentials
  const base = vertexBase(deployment, env, credentials)
  if (typeof base !== 'string') return base
  return authorizedByGoogle(credentials, deployment, targetOf(deployment, base))
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
