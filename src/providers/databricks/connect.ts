import type { Deployment, Misconfiguration } from '../../core/deployment.ts'
import { Secret } from '../../core/secret.ts'
import type { Connected, ProviderAdapter, Target } from '../adapter.ts'
import { authorizedByToken } from '../auth/authorize.ts'
import { connectByKey, resolveBase, targetOf, withAddress, type KeySource } from '../auth/connect.ts'
import { findKey, fromEnv, type Env } from '../auth/key.ts'
import { sharedTokens } from '../auth/credentials.ts'
import { FORM_HEADERS, requestToken, type TokenRequest } from '../auth/token-request.ts'

const SOURCE: KeySource = {
  baseEnv: ['DATABRICKS_API_BASE', 'DATABRICKS_HOST'],
  keyEnv: ['DATABRICKS_API_KEY', 'DATABRICKS_TOKEN'],
}
const ENDPOINTS = '/serving-endpoints'

/**
 * A personal access token in `api_key`, or an application's `client_id` and `client_secret`, which get tokens. What is
 * written beats the environment; of each, the key.
 */
export const connectDatabricks: ProviderAdapter['connect'] = (written, env) => {
  const deployment = located(written, env)
  const client = clientOf(deployment, env)
  if (client === undefined) return connectByKey(SOURCE, deployment, env)
  if ('message' in client) return client
  const base = resolveBase(deployment, SOURCE.baseEnv)
  return typeof base === 'string' ? connectByClient(client, deployment, targetOf(deployment, base)) : base
}

/** The workspace: what is before the path of its serving endpoints or its gateway. */
export function workspaceOf(base: string): string {
  return base.replace(/\/(serving-endpoints|ai-gateway)(\/.*)?$/, '')
}

/** A workspace alone, as DATABRICKS_HOST names it with or without its scheme, stands for its serving endpoints. */
function located(written: Deployment, env: Env): Deployment {
  const deployment = withHost(withAddress(written, env, ['DATABRICKS_API_BASE']), env)
  const { apiBase } = deployment.connection
  if (apiBase === undefined || URL.parse(apiBase)?.pathname !== '/') return deployment
  const base = apiBase.replace(/\/+$/, '') + ENDPOINTS
  return { ...deployment, connection: { ...deployment.connection, apiBase: base } }
}

function withHost(deployment: Deployment, env: Env): Deployment {
  const host = deployment.connection.apiBase === undefined ? fromEnv(env, ['DATABRICKS_HOST']) : undefined
  if (host === undefined) return deployment
  const whole = host.includes('://') ? host : `https://${host}`
  return withAddress(deployment, { DATABRICKS_HOST: whole }, ['DATABRICKS_HOST'])
}

interface Client {
  readonly id: string
  readonly secret: Secret
}

function clientOf(deployment: Deployment, env: Env): Client | Misconfiguration | undefined {
  const { apiKey, settings, secrets, headers } = deployment.connection
  if (apiKey !== undefined && apiKey.reveal() !== '') return undefined
  const id = settings?.['client_id'] ?? fromEnv(env, ['DATABRICKS_CLIENT_ID'])
  const written = secrets?.['client_secret']
  // Without a secret of its own, a key or a header wins.
  if (written === undefined) {
    const ofEnv = fromEnv(env, ['DATABRICKS_CLIENT_SECRET'])
    const hasOther =
      headers['authorization'] !== undefined || findKey(deployment, env, SOURCE.keyEnv) !== undefined
    return hasOther || ofEnv === undefined || id === undefined ? undefined : { id, secret: new Secret(ofEnv) }
  }
  if (id === undefined) {
    return {
      message:
        'client_secret needs a client_id: set it in litellm_params, or DATABRICKS_CLIENT_ID in the environment',
    }
  }
  return { id, secret: written }
}

function connectByClient(
  client: Client,
  deployment: Deployment,
  target: Target,
): Connected | Misconfiguration {
  const workspace = workspaceOf(target.base)
  const asked = tokenRequest(client, workspace)
  const who = ['databricks', workspace, client.id, client.secret]
  const tokens = sharedTokens(who, (ground) => requestToken(asked, ground))
  return authorizedByToken(tokens, asked.secrets, deployment, target)
}

/** https://docs.databricks.com/dev-tools/auth/oauth-m2m, read 2026-11-27 */
function tokenRequest({ id, secret }: Client, workspace: string): TokenRequest {
  const basic = Buffer.from(`${id}:${secret.reveal()}`).toString('base64')
  return {
    service: 'Databricks',
    wire: {
      method: 'POST',
      url: `${workspace}/oidc/v1/token`,
      headers: { ...FORM_HEADERS, authorization: `Basic ${basic}` },
      body: 'grant_type=client_credentials&scope=all-apis',
    },
    secrets: [secret, new Secret(basic)],
    blamed: (code) => (code === 'invalid_scope' ? 'the scope all-apis' : 'the client_id or client_secret'),
  }
}
