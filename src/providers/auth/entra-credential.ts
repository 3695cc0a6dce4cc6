import type { Deployment, Misconfiguration } from '../../core/deployment.ts'
import { Secret } from '../../core/secret.ts'
import { isHttpUrl } from '../route.ts'
import type { Assertion, EntraCredential, EntraPlace } from './entra.ts'
import { fromEnv, type Env } from './key.ts'

const AUTHORITY = 'https://login.microsoftonline.com'
const SCOPE = 'https://cognitiveservices.azure.com/.default'
/** The service of a machine's identity (https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service). */
const MACHINE = 'http://169.254.169.254'
/** People of any tenant but Microsoft's own (https://learn.microsoft.com/entra/identity-platform/v2-oauth-ropc). */
const ANY_TENANT = 'organizations'
/** LiteLLM's word for which of Azure's credentials is meant; others are found by what is set. */
const IDENTITY_WORDS: ReadonlySet<string> = new Set(['ManagedIdentityCredential', 'DefaultAzureCredential'])

/** Where tokens come from, and what they are for. */
export function entraPlace(
  { connection }: Deployment,
  env: Env,
  usual: string = SCOPE,
): EntraPlace | Misconfiguration {
  const named = fromEnv(env, ['AZURE_AUTHORITY_HOST']) ?? AUTHORITY
  const authority = (named.includes('://') ? named : `https://${named}`).replace(/\/+$/, '')
  if (!isHttpUrl(authority)) return { message: `AZURE_AUTHORITY_HOST is no address: "${named}"` }
  return { authority, scope: connection.settings?.['azure_scope'] ?? fromEnv(env, ['AZURE_SCOPE']) ?? usual }
}

/**
 * Who gets tokens, as `litellm_params` say it: client_secret, azure_username with azure_password, azure_ad_token
 * `oidc/…`, or tenant_id and client_id whose secret or federated token is in the environment.
 */
export function writtenEntra(
  deployment: Deployment,
  env: Env,
): EntraCredential | Misconfiguration | undefined {
  const { settings = {}, secrets = {}, azureAdToken } = deployment.connection
  const secret = secrets['client_secret']
  if (isSet(secret))
    return withIds(deployment, env, 'client_secret', (ids) => ({ kind: 'secret', ...ids, secret }))
  const user = secrets['azure_username'] ?? secretOf(settings['azure_username'])
  const password = secrets['azure_password']
  if (isSet(user) && isSet(password)) return byPassword(deployment, env, user, password)
  if (azureAdToken?.reveal().startsWith('oidc/') === true) return ofOidc(azureAdToken, deployment, env)
  if (azureAdToken !== undefined || settings['client_id'] === undefined) return undefined
  return bySecretOf(deployment, env) ?? byFile(deployment, env)
}

/** The same of the environment alone. A managed identity is asked for only where something says that there is one. */
export function entraOfEnv(deployment: Deployment, env: Env): EntraCredential | Misconfiguration | undefined {
  const user = secretOf(fromEnv(env, ['AZURE_USERNAME']))
  const password = secretOf(fromEnv(env, ['AZURE_PASSWORD']))
  const token = secretOf(fromEnv(env, ['AZURE_AD_TOKEN']))
  return (
    bySecretOf(deployment, env) ??
    (user === undefined || password === undefined || clientOf(deployment, env) === undefined
      ? undefined
      : byPassword(deployment, env, user, password)) ??
    (token?.reveal().startsWith('oidc/') === true ? ofOidc(token, deployment, env) : undefined) ??
    // A token that is there needs no other way to one.
    (token === undefined ? (byFile(deployment, env) ?? ofIdentity(deployment, env)) : undefined)
  )
}

function bySecretOf(deployment: Deployment, env: Env): EntraCredential | undefined {
  const secret = secretOf(fromEnv(env, ['AZURE_CLIENT_SECRET']))
  const ids = idsOf(deployment, env)
  return secret === undefined || ids === undefined ? undefined : { kind: 'secret', ...ids, secret }
}

/** https://azure.github.io/azure-workload-identity/docs/quick-start.html: what it puts into a pod. */
function byFile(deployment: Deployment, env: Env): EntraCredential | undefined {
  const path = fromEnv(env, ['AZURE_FEDERATED_TOKEN_FILE'])
  const ids = idsOf(deployment, env)
  if (path === undefined || ids === undefined) return undefined
  return { kind: 'assertion', ...ids, assertion: { kind: 'file', path, from: 'AZURE_FEDERATED_TOKEN_FILE' } }
}

function ofIdentity(deployment: Deployment, env: Env): EntraCredential | undefined {
  const client = clientOf(deployment, env)
  const which = client === undefined ? {} : { client }
  const endpoint = fromEnv(env, ['IDENTITY_ENDPOINT'])
  const header = fromEnv(env, ['IDENTITY_HEADER'])
  if (endpoint !== undefined && header !== undefined)
    return { kind: 'identity', endpoint, header: new Secret(header), ...which }
  if (!IDENTITY_WORDS.has(fromEnv(env, ['AZURE_CREDENTIAL']) ?? '')) return undefined
  const machine = (fromEnv(env, ['AZURE_POD_IDENTITY_AUTHORITY_HOST']) ?? MACHINE).replace(/\/+$/, '')
  return { kind: 'identity', endpoint: `${machine}/metadata/identity/oauth2/token`, ...which }
}

function byPassword(
  deployment: Deployment,
  env: Env,
  user: Secret,
  password: Secret,
): EntraCredential | Misconfiguration {
  const client = clientOf(deployment, env)
  const tenant = tenantOf(deployment, env) ?? ANY_TENANT
  if (client === undefined)
    return missing('azure_username and azure_password', 'client_id', 'AZURE_CLIENT_ID')
  return { kind: 'password', tenant, client, user, password }
}

function ofOidc(token: Secret, deployment: Deployment, env: Env): EntraCredential | Misconfiguration {
  const assertion = assertionOf(token.reveal(), env)
  if ('message' in assertion) return assertion
  return withIds(deployment, env, 'azure_ad_token "oidc/…"', (ids) => ({
    kind: 'assertion',
    ...ids,
    assertion,
  }))
}

/** LiteLLM's ways to name a federated token. Those that ask another service for one are not built. */
function assertionOf(written: string, env: Env): Assertion | Misconfiguration {
  const [, kind = '', rest = ''] = /^oidc\/([^/]*)\/?(.*)$/s.exec(written) ?? []
  const from = `azure_ad_token oidc/${kind}/`
  switch (kind) {
    case 'env':
      return ofVariable(rest, env, from)
    case 'circleci':
      return ofVariable('CIRCLE_OIDC_TOKEN', env, from)
    case 'circleci_v2':
      return ofVariable('CIRCLE_OIDC_TOKEN_V2', env, from)
    case 'file':
      return rest === '' ? { message: `${from} names no file` } : { kind: 'file', path: rest, from }
    case 'env_path':
    case 'azure': {
      const name = kind === 'azure' ? 'AZURE_FEDERATED_TOKEN_FILE' : rest
      const path = fromEnv(env, [name])
      return path === undefined ? unset(name, from) : { kind: 'file', path, from }
    }
    default:
      return {
        message:
          `azure_ad_token "oidc/${kind}/…" is not supported: ` +
          'write oidc/env/<variable> or oidc/file/<path>, or use a client_secret or an api_key',
      }
  }
}

function ofVariable(name: string, env: Env, from: string): Assertion | Misconfiguration {
  const text = fromEnv(env, [name])
  return text === undefined ? unset(name, from) : { kind: 'text', text: new Secret(text), from }
}

function unset(name: string, from: string): Misconfiguration {
  return { message: `the environment variable ${name || '(none is named)'} of ${from} is not set` }
}

interface Ids {
  readonly tenant: string
  readonly client: string
}

function withIds(
  deployment: Deployment,
  env: Env,
  what: string,
  make: (ids: Ids) => EntraCredential,
): EntraCredential | Misconfiguration {
  const tenant = tenantOf(deployment, env)
  const client = clientOf(deployment, env)
  if (tenant === undefined) return missing(what, 'tenant_id', 'AZURE_TENANT_ID')
  if (client === undefined) return missing(what, 'client_id', 'AZURE_CLIENT_ID')
  return make({ tenant, client })
}

function idsOf(deployment: Deployment, env: Env): Ids | undefined {
  const tenant = tenantOf(deployment, env)
  const client = clientOf(deployment, env)
  return tenant === undefined || client === undefined ? undefined : { tenant, client }
}

function tenantOf({ connection }: Deployment, env: Env): string | undefined {
  return connection.settings?.['tenant_id'] || fromEnv(env, ['AZURE_TENANT_ID'])
}

function clientOf({ connection }: Deployment, env: Env): string | undefined {
  return connection.settings?.['client_id'] || fromEnv(env, ['AZURE_CLIENT_ID'])
}

function missing(what: string, name: string, variable: string): Misconfiguration {
  return { message: `${what} needs a ${name}: set it in litellm_params, or ${variable} in the environment` }
}

function isSet(secret: Secret | undefined): secret is Secret {
  return secret !== undefined && secret.reveal() !== ''
}

function secretOf(text: string | undefined): Secret | undefined {
  return text === undefined || text === '' ? undefined : new Secret(text)
}
