import type { Deployment, Misconfiguration } from '../../core/deployment.ts'
import { Secret } from '../../core/secret.ts'
import type { Connected, Target } from '../adapter.ts'
import { authorizedBy, authorizedByToken, BEARER, type SecretHeader, type TokenHeader } from './authorize.ts'
import { entraOfEnv, entraPlace, writtenEntra } from './entra-credential.ts'
import { entraSecrets, entraTokens, type EntraCredential } from './entra.ts'
import { fromEnv, keyMissing, type Env } from './key.ts'

/** The header of a resource's key. */
export const API_KEY: TokenHeader = { name: 'api-key', prefix: '' }

/** Where a resource's key is found, and how it is sent. */
export interface AzureKeys {
  readonly keyEnv: readonly string[]
  readonly keyHeader: TokenHeader
  /** What tokens are for unless `azure_scope` says it. */
  readonly scope?: string
  /** Sent beside the credential. */
  readonly more?: readonly SecretHeader[]
}

/** Resolves who a deployment of Azure is called as: a resource's key, a token, or somebody who gets tokens. */
export function connectAzure(
  keys: AzureKeys,
  deployment: Deployment,
  env: Env,
  target: Target,
): Connected | Misconfiguration {
  const found = findCredential(keys, deployment, env)
  if ('message' in found) return found
  const { more = [] } = keys
  if ('name' in found) return authorizedBy([found, ...more], deployment, target)
  const place = entraPlace(deployment, env, keys.scope)
  if ('message' in place) return place
  return authorizedByToken(entraTokens(found, place), entraSecrets(found), deployment, target, more)
}

/**
 * What is written in the config beats the environment; of each, the key beats whoever gets tokens, and that beats a
 * token which somebody else got: LiteLLM's order.
 */
function findCredential(
  { keyEnv, keyHeader }: AzureKeys,
  deployment: Deployment,
  env: Env,
): SecretHeader | EntraCredential | Misconfiguration {
  const { apiKey, azureAdToken } = deployment.connection
  if (apiKey !== undefined && apiKey.reveal() !== '') return { ...keyHeader, secret: apiKey }
  const written = writtenEntra(deployment, env)
  if (written !== undefined) return written
  if (azureAdToken !== undefined) return { ...BEARER, secret: azureAdToken }
  const key = fromEnv(env, keyEnv)
  if (key !== undefined) return { ...keyHeader, secret: new Secret(key) }
  return ownHeader(deployment) ?? entraOfEnv(deployment, env) ?? tokenOfEnv(env) ?? missing(keyEnv)
}

function tokenOfEnv(env: Env): SecretHeader | undefined {
  const token = fromEnv(env, ['AZURE_AD_TOKEN'])
  return token === undefined ? undefined : { ...BEARER, secret: new Secret(token) }
}

/** `extra_headers` may hold the credential. */
function ownHeader({ connection }: Deployment): SecretHeader | undefined {
  const name = connection.headers['api-key'] === undefined ? 'authorization' : 'api-key'
  const secret = connection.headers[name]
  return secret === undefined ? undefined : { name, prefix: '', secret }
}

function missing(keyEnv: readonly string[]): Misconfiguration {
  const { message } = keyMissing([...keyEnv, 'AZURE_AD_TOKEN'])
  return { message: message.replace('set api_key', 'set api_key, client_secret or azure_ad_token') }
}
