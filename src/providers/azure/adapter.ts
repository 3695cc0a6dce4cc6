import type { Deployment, Misconfiguration } from '../../core/deployment.ts'
import { Secret } from '../../core/secret.ts'
import type { ProviderAdapter } from '../adapter.ts'
import { authorizedBy, type SecretHeader } from '../auth/authorize.ts'
import { resolveBase, targetOf, withAddress } from '../auth/connect.ts'
import { fromEnv, keyMissing, type Env } from '../auth/key.ts'
import { createClassify } from '../classify.ts'
import { openAiCodecs } from '../openai/codecs.ts'
import { realtimeFace } from '../openai/realtime.ts'
import { REFUSED_IN_REASONING } from '../refused-params.ts'
import {
  azureModelsUrl,
  azureObjectsUrl,
  azureRealtimeKeyUrl,
  azureRealtimeUrl,
  azureUrl,
  deploymentName,
  namesDeployment,
} from './address.ts'

const BASE_ENV = ['AZURE_API_BASE', 'AZURE_OPENAI_ENDPOINT'] as const
const KEY_ENV = ['AZURE_API_KEY', 'AZURE_OPENAI_API_KEY'] as const

const connect: ProviderAdapter['connect'] = (written, env) => {
  const deployment = withAddress(written, env, BASE_ENV)
  const base = resolveBase(deployment, BASE_ENV)
  if (typeof base !== 'string') return base
  const credential = findCredential(deployment, env)
  if ('message' in credential) return credential
  const target = targetOf(deployment, base, apiVersion(deployment, env))
  if (!namesDeployment(target)) return { message: 'no deployment is named: write azure/<deployment>' }
  return authorizedBy([credential], deployment, target)
}

/** What is written in the config beats the environment; of each, the key beats the Entra token. */
function findCredential(deployment: Deployment, env: Env): SecretHeader | Misconfiguration {
  const { apiKey, azureAdToken } = deployment.connection
  if (apiKey !== undefined && apiKey.reveal() !== '') return { name: 'api-key', prefix: '', secret: apiKey }
  if (azureAdToken !== undefined) return bearer(azureAdToken)
  const key = fromEnv(env, KEY_ENV)
  if (key !== undefined) return { name: 'api-key', prefix: '', secret: new Secret(key) }
  const token = fromEnv(env, ['AZURE_AD_TOKEN'])
  if (token !== undefined) return bearer(new Secret(token))
  const own = deployment.connection.headers['api-key'] ?? deployment.connection.headers['authorization']
  const name = deployment.connection.headers['api-key'] === undefined ? 'authorization' : 'api-key'
  if (own !== undefined) return { name, prefix: '', secret: own }
  const { message } = keyMissing([...KEY_ENV, 'AZURE_AD_TOKEN'])
  return { message: message.replace('set api_key', 'set api_key or azure_ad_token') }
}

function bearer(token: Secret): SecretHeader | Misconfiguration {
  if (token.reveal().startsWith('oidc/')) {
    return {
      message: 'azure_ad_token "oidc/…" is not supported yet: give the Entra token itself, or an api_key',
    }
  }
  return { name: 'authorization', prefix: 'Bearer ', secret: token }
}

/** As configured, as pasted with the URL, or as the environment says. Absent: each route's own default. */
function apiVersion(deployment: Deployment, env: Env): string | undefined {
  const { apiVersion: written, apiBaseQuery } = deployment.connection
  const pasted =
    apiBaseQuery === undefined ? null : new URLSearchParams(apiBaseQuery.reveal()).get('api-version')
  return written ?? pasted ?? fromEnv(env, ['AZURE_API_VERSION'])
}

/** Azure OpenAI: OpenAI's words at another address, with another key header. */
export const azure: ProviderAdapter = {
  id: 'azure',
  codecs: {
    ...openAiCodecs({ url: azureUrl, model: (target) => deploymentName(target.model) }),
    // Azure OpenAI serves none; what Azure has of it is another service's (LiteLLM's `azure_ai/`).
    rerank: 'unsupported',
  },
  realtime: realtimeFace(azureRealtimeUrl),
  objects: { url: azureObjectsUrl },
  realtimeKeys: {
    url: azureRealtimeKeyUrl,
    // Azure takes it as a bearer, and a resource's key beside it would win.
    withKey: (deployment, key) => {
      const { apiKey: _, ...connection } = deployment.connection
      return { ...deployment, connection: { ...connection, azureAdToken: key } }
    },
  },
  connect,
  classify: createClassify(),
  freeUrl: azureModelsUrl,
  refuses: [REFUSED_IN_REASONING],
}

/** LiteLLM's name for Azure deployments that complete text. */
export const azureText: ProviderAdapter = { ...azure, id: 'azure_text', onlyMode: 'completion' }
