import type { Deployment } from '../../core/deployment.ts'
import type { ProviderAdapter } from '../adapter.ts'
import { API_KEY, connectAzure, type AzureKeys } from '../auth/azure.ts'
import { resolveBase, targetOf, withAddress } from '../auth/connect.ts'
import { fromEnv, type Env } from '../auth/key.ts'
import { createClassify } from '../classify.ts'
import { openAiCodecs } from '../openai/codecs.ts'
import { realtimeFace } from '../openai/realtime.ts'
import { responsesFace } from '../openai/responses.ts'
import { REFUSED_IN_REASONING } from '../refused-params.ts'
import {
  azureModelsUrl,
  azureObjectsUrl,
  azureRealtimeCallsUrl,
  azureRealtimeKeyUrl,
  azureRealtimeUrl,
  azureResponsesUrl,
  azureUrl,
  deploymentName,
  namesDeployment,
} from './address.ts'

const BASE_ENV = ['AZURE_API_BASE', 'AZURE_OPENAI_ENDPOINT'] as const
const KEYS: AzureKeys = { keyEnv: ['AZURE_API_KEY', 'AZURE_OPENAI_API_KEY'], keyHeader: API_KEY }

const connect: ProviderAdapter['connect'] = (written, env) => {
  const deployment = withAddress(written, env, BASE_ENV)
  const base = resolveBase(deployment, BASE_ENV)
  if (typeof base !== 'string') return base
  const target = targetOf(deployment, base, apiVersion(deployment, env))
  if (!namesDeployment(target)) return { message: 'no deployment is named: write azure/<deployment>' }
  return connectAzure(KEYS, deployment, env, target)
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
    ...openAiCodecs({
      url: azureUrl,
      model: (target) => deploymentName(target.model),
      isOpenAis: () => true,
    }),
    // Azure OpenAI serves none; what Azure has of it is another service's (LiteLLM's `azure_ai/`).
    rerank: 'unsupported',
  },
  realtime: realtimeFace(azureRealtimeUrl),
  objects: { url: azureObjectsUrl },
  realtimeKeys: {
    url: azureRealtimeKeyUrl,
    callsUrl: azureRealtimeCallsUrl,
    // Azure takes it as a bearer, and a resource's key or an application's secret beside it would win.
    withKey: (deployment, key) => {
      const { apiKey: _, secrets: __, settings: ___, ...connection } = deployment.connection
      return { ...deployment, connection: { ...connection, azureAdToken: key } }
    },
  },
  surfaces: { responses: responsesFace(azureResponsesUrl, ({ model }) => deploymentName(model)) },
  connect,
  classify: createClassify(),
  auth: '`api-key: …`, or a token it gets',
  freeUrl: azureModelsUrl,
  refuses: [REFUSED_IN_REASONING],
}

/** LiteLLM's name for Azure deployments that complete text. */
export const azureText: ProviderAdapter = { ...azure, id: 'azure_text', onlyMode: 'completion' }
