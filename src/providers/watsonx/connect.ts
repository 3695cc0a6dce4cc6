import type { Deployment, Misconfiguration } from '../../core/deployment.ts'
import { Secret } from '../../core/secret.ts'
import type { ProviderAdapter, Target } from '../adapter.ts'
import { authorizedBy, authorizedByToken, BEARER, type SecretHeader } from '../auth/authorize.ts'
import { resolveBase, targetOf, withAddress } from '../auth/connect.ts'
import { findKey, fromEnv, keyMissing, type Env } from '../auth/key.ts'
import { sharedTokens } from '../auth/credentials.ts'
import { postForm, requestToken, type TokenRequest } from '../auth/token-request.ts'
import { isHttpUrl } from '../route.ts'
import { isDeployment } from './address.ts'

const BASE_ENV = ['WATSONX_API_BASE', 'WATSONX_URL', 'WX_URL', 'WML_URL'] as const
const KEY_ENV = ['WATSONX_APIKEY', 'WATSONX_API_KEY', 'WX_API_KEY'] as const
const PROJECT_ENV = ['WATSONX_PROJECT_ID', 'WX_PROJECT_ID', 'PROJECT_ID'] as const
const SPACE_ENV = ['WATSONX_DEPLOYMENT_SPACE_ID', 'WATSONX_SPACE_ID', 'WX_SPACE_ID', 'SPACE_ID'] as const
const REGION_ENV = ['WATSONX_REGION', 'WX_REGION'] as const
const IAM = 'https://iam.cloud.ibm.com/identity/token'

/** Resolves address, project and credential, in LiteLLM's names. */
export const connectWatsonx: ProviderAdapter['connect'] = (written, env) => {
  const deployment = withAddress(written, env, BASE_ENV)
  const base = resolveBase(deployment, BASE_ENV, regionalBase(deployment, env))
  if (typeof base !== 'string') return base
  const version = deployment.connection.apiVersion ?? fromEnv(env, ['WATSONX_API_VERSION'])
  const target = inProject(deployment, env, targetOf(deployment, base, version))
  if ('message' in target) return target
  const sent = sentAsItIs(deployment, env)
  if (sent !== undefined) return authorizedBy([sent], deployment, target)
  const key = findKey(deployment, env, KEY_ENV)
  if (key === undefined) return keyMissing([...KEY_ENV, 'WATSONX_TOKEN', 'WATSONX_ZENAPIKEY'])
  const iam = fromEnv(env, ['WATSONX_IAM_URL']) ?? IAM
  if (!isHttpUrl(iam)) return { message: `WATSONX_IAM_URL is no address: "${iam}"` }
  const asked = tokenRequest(key, iam)
  const tokens = sharedTokens(['watsonx', iam, key], (ground) => requestToken(asked, ground))
  return authorizedByToken(tokens, asked.secrets, deployment, target)
}

/** https://cloud.ibm.com/apidocs/watsonx-ai#endpoint-url */
function regionalBase({ connection }: Deployment, env: Env): string | undefined {
  const region = connection.settings?.['watsonx_region_name'] ?? fromEnv(env, REGION_ENV)
  return region === undefined ? undefined : `https://${encodeURIComponent(region)}.ml.cloud.ibm.com`
}

/** Whose model it is stands in every body but those for deployed models. */
function inProject({ connection }: Deployment, env: Env, target: Target): Target | Misconfiguration {
  const { project_id: _, space_id: __, ...defaults } = target.bodyDefaults
  if (isDeployment(target)) return { ...target, bodyDefaults: defaults }
  const { settings = {} } = connection
  const project = settings['project_id'] ?? settings['watsonx_project']
  const space = settings['space_id']
  const ids =
    idOf('project_id', project) ??
    idOf('space_id', space) ??
    idOf('project_id', fromEnv(env, PROJECT_ENV)) ??
    idOf('space_id', fromEnv(env, SPACE_ENV))
  if (ids !== undefined) return { ...target, bodyDefaults: { ...defaults, ...ids } }
  return {
    message:
      'no project: set project_id or space_id in litellm_params, ' +
      'or WATSONX_PROJECT_ID or WATSONX_SPACE_ID in the environment',
  }
}

function idOf(name: string, id: string | undefined): Readonly<Record<string, string>> | undefined {
  return id === undefined || id === '' ? undefined : { [name]: id }
}

/** A token or a key of Cloud Pak for Data; undefined where an API key gets tokens. */
function sentAsItIs({ connection }: Deployment, env: Env): SecretHeader | undefined {
  const { apiKey, secrets = {}, headers } = connection
  const zen = { name: 'authorization', prefix: 'ZenApiKey ' }
  const token = secrets['token'] ?? secrets['watsonx_token']
  if (token !== undefined) return { ...BEARER, secret: token }
  const zenKey = secrets['zen_api_key']
  if (zenKey !== undefined) return { ...zen, secret: zenKey }
  if (apiKey !== undefined && apiKey.reveal() !== '') return undefined
  const own = headers['authorization']
  if (own !== undefined) return { name: 'authorization', prefix: '', secret: own }
  const tokenOfEnv = fromEnv(env, ['WATSONX_TOKEN'])
  if (tokenOfEnv !== undefined) return { ...BEARER, secret: new Secret(tokenOfEnv) }
  const zenOfEnv = fromEnv(env, ['WATSONX_ZENAPIKEY'])
  return zenOfEnv === undefined ? undefined : { ...zen, secret: new Secret(zenOfEnv) }
}

/** https://cloud.ibm.com/apidocs/iam-identity-token-api, read 2026-11-27 */
function tokenRequest(key: Secret, iam: string): TokenRequest {
  return {
    service: 'IBM Cloud IAM',
    wire: postForm(iam, {
      grant_type: 'urn:ibm:params:oauth:grant-type:apikey',
      apikey: key.reveal(),
    }),
    secrets: [key],
    blamed: () => 'the api_key',
  }
}
