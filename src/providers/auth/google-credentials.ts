import { createPrivateKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Misconfiguration } from '../../core/deployment.ts'
import { isJsonObject, type JsonObject, parseJson } from '../../core/json.ts'
import { Secret } from '../../core/secret.ts'
import { textOf } from '../answer.ts'
import { isHttpUrl } from '../route.ts'
import { fromEnv, type Env } from './key.ts'

/** Who calls Google, and how a token is come by (https://cloud.google.com/docs/authentication/application-default-credentials). */
export type GoogleCaller = ServiceAccount | AuthorizedUser | ExternalAccount | Impersonated | Metadata

/** The same with all that tells it from others. */
export type GoogleCredentials = GoogleCaller & { readonly identity: Secret }

/** A key file of a service account. */
export interface ServiceAccount {
  readonly kind: 'service_account'
  readonly email: string
  readonly key: KeyObject
  readonly keyId: string | undefined
  readonly tokenUrl: string
  readonly project: string | undefined
  readonly secrets: readonly Secret[]
}

/** What `gcloud auth application-default login` leaves behind. */
export interface AuthorizedUser {
  readonly kind: 'authorized_user'
  readonly clientId: string
  readonly clientSecret: Secret
  readonly refreshToken: Secret
  readonly tokenUrl: string
  readonly project: string | undefined
  readonly secrets: readonly Secret[]
}

/** Somebody else's token, exchanged (https://google.aip.dev/auth/4117). */
export interface ExternalAccount {
  readonly kind: 'external_account'
  readonly audience: string
  readonly subjectTokenType: string
  readonly tokenUrl: string
  readonly subject: SubjectSource
  /** The member that holds the token where the source is JSON; absent: all of it is the token. */
  readonly subjectField: string | undefined
  readonly impersonation: { readonly url: string; readonly lifetimeSeconds: number } | undefined
  readonly client: { readonly id: string; readonly secret: Secret } | undefined
  readonly workforceProject: string | undefined
  readonly project: string | undefined
  readonly secrets: readonly Secret[]
}

/** Where the token of somebody else is read. */
export type SubjectSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string; readonly headers: Readonly<Record<string, string>> }

/** A service account that another credential may speak for. */
export interface Impersonated {
  readonly kind: 'impersonated_service_account'
  readonly source: ServiceAccount | AuthorizedUser
  readonly url: string
  readonly delegates: readonly string[]
  readonly project: string | undefined
  readonly secrets: readonly Secret[]
}

/** The metadata server of a machine on Google Cloud. */
export interface Metadata {
  readonly kind: 'metadata'
  readonly host: string
  readonly project: undefined
  readonly secrets: readonly []
}

const TOKEN_URL = 'https://oauth2.googleapis.com/token'
const LIFETIME_SECONDS = 3_600

/**
 * Finds credentials as Google's own clients do: what is written for the deployment (a path, or the JSON itself), the
 * file that a variable names, the file that gcloud keeps, the metadata server.
 */
export function findGoogleCredentials(
  written: Secret | undefined,
  env: Env,
): GoogleCredentials | Misconfiguration {
  const own = written?.reveal().trim() ?? fromEnv(env, ['VERTEXAI_CREDENTIALS'])
  if (own !== undefined && own !== '') {
    if (own.startsWith('{')) return credentialsIn(own, 'vertex_credentials')
    return credentialsAt(own, 'vertex_credentials') ?? missing('vertex_credentials', own)
  }
  const named = fromEnv(env, ['GOOGLE_APPLICATION_CREDENTIALS'])
  if (named !== undefined)
    return (
      credentialsAt(named, 'GOOGLE_APPLICATION_CREDENTIALS') ??
      missing('GOOGLE_APPLICATION_CREDENTIALS', named)
    )
  const kept = gcloudFile(env)
  const found = kept === undefined ? undefined : credentialsAt(kept, kept)
  return found ?? metadata(env)
}

function missing(where: string, path: string): Misconfiguration {
  return { message: `${where} names no file that can be read, and is no JSON: ${path.slice(0, 200)}` }
}

/** `NO_GCE_CHECK` is what Google's own clients know as well: nobody asks the machine who it is. */
function metadata(env: Env): GoogleCredentials | Misconfiguration {
  if (fromEnv(env, ['NO_GCE_CHECK'])?.toLowerCase() === 'true')
    return { message: 'no credentials for Google: set vertex_credentials or GOOGLE_APPLICATION_CREDENTIALS' }
  const host = fromEnv(env, ['GCE_METADATA_HOST']) ?? 'metadata.google.internal'
  return { kind: 'metadata', host, project: undefined, secrets: [], identity: new Secret(host) }
}

/** Where gcloud keeps what it calls application default credentials. */
function gcloudFile(env: Env): string | undefined {
  const folder = fromEnv(env, ['CLOUDSDK_CONFIG'])
  if (folder !== undefined) return join(folder, 'application_default_credentials.json')
  const roaming = fromEnv(env, ['APPDATA'])
  if (roaming !== undefined) return join(roaming, 'gcloud', 'application_default_credentials.json')
  const home = fromEnv(env, ['HOME'])
  return home === undefined
    ? undefined
    : join(home, '.config', 'gcloud', 'application_default_credentials.json')
}

/** Undefined where there is no such file. */
function credentialsAt(path: string, where: string): GoogleCredentials | Misconfiguration | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    // Not there or not ours to read: who asks knows what that means.
    return undefined
  }
  return credentialsIn(text, where)
}

function credentialsIn(text: string, where: string): GoogleCredentials | Misconfiguration {
  const json = parseJson(text)
  if (!isJsonObject(json)) return { message: `${where} holds no JSON object` }
  const found = credentialsOf(json, where)
  return 'message' in found ? found : { ...found, identity: new Secret(JSON.stringify(json)) }
}

function credentialsOf(json: JsonObject, where: string): GoogleCaller | Misconfiguration {
  switch (json['type']) {
    case 'service_account':
      return serviceAccount(json, where)
    case 'authorized_user':
      return authorizedUser(json, where)
    case 'external_account':
      return externalAccount(json, where)
    case 'impersonated_service_account':
      return impersonated(json, where)
    default:
      return {
        message: `${where} is of a type that is not known: ${JSON.stringify(json['type'] ?? null)}; known are service_account, authorized_user, external_account and impersonated_service_account`,
      }
  }
}

function lacking(where: string, names: string): Misconfiguration {
  return { message: `${where} lacks ${names}` }
}

function serviceAccount(json: JsonObject, where: string): ServiceAccount | Misconfiguration {
  const email = textOf(json['client_email'])
  const pem = textOf(json['private_key'])
  if (email === undefined || pem === undefined) return lacking(where, 'client_email or private_key')
  const key = privateKey(pem)
  if (key === undefined) return { message: `${where}: its private_key is no RSA key in PEM` }
  return {
    kind: 'service_account',
    email,
    key,
    keyId: textOf(json['private_key_id']),
    tokenUrl: textOf(json['token_uri']) ?? TOKEN_URL,
    project: textOf(json['project_id']),
    secrets: [new Secret(pem)],
  }
}

/** Variables of an environment often carry line breaks as `\n`. */
function privateKey(pem: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(pem.replaceAll('\\n', '\n'))
    return key.asymmetricKeyType === 'rsa' ? key : undefined
  } catch {
    // Whatever is wrong with it, its words are secret.
    return undefined
  }
}

function authorizedUser(json: JsonObject, where: string): AuthorizedUser | Misconfiguration {
  const clientId = textOf(json['client_id'])
  const clientSecret = textOf(json['client_secret'])
  const refreshToken = textOf(json['refresh_token'])
  if (clientId === undefined || clientSecret === undefined || refreshToken === undefined)
    return lacking(where, 'client_id, client_secret or refresh_token')
  const secrets = [new Secret(clientSecret), new Secret(refreshToken)] as const
  return {
    kind: 'authorized_user',
    clientId,
    clientSecret: secrets[0],
    refreshToken: secrets[1],
    tokenUrl: textOf(json['token_uri']) ?? TOKEN_URL,
    project: textOf(json['quota_project_id']),
    secrets,
  }
}

function externalAccount(json: JsonObject, where: string): ExternalAccount | Misconfiguration {
  const audience = textOf(json['audience'])
  const subjectTokenType = textOf(json['subject_token_type'])
  const tokenUrl = textOf(json['token_url'])
  if (audience === undefined || subjectTokenType === undefined || tokenUrl === undefined)
    return lacking(where, 'audience, subject_token_type or token_url')
  const source = json['credential_source']
  const subject = isJsonObject(source) ? subjectSource(source) : undefined
  if (!isJsonObject(source) || subject === undefined)
    return { message: `${where}: credential_source must name a file or a url; others are not built` }
  const format = source['format']
  const isJson = isJsonObject(format) && format['type'] === 'json'
  const secret = textOf(json['client_secret'])
  const id = textOf(json['client_id'])
  const client = id === undefined || secret === undefined ? undefined : { id, secret: new Secret(secret) }
  const url = textOf(json['service_account_impersonation_url'])
  return {
    kind: 'external_account',
    audience,
    subjectTokenType,
    tokenUrl,
    subject,
    subjectField: isJson ? (textOf(format['subject_token_field_name']) ?? 'access_token') : undefined,
    impersonation: url === undefined ? undefined : { url, lifetimeSeconds: lifetimeOf(json) },
    client,
    workforceProject: textOf(json['workforce_pool_user_project']),
    project: textOf(json['quota_project_id']),
    secrets: client === undefined ? [] : [client.secret],
  }
}

function lifetimeOf(json: JsonObject): number {
  const options = json['service_account_impersonation']
  const seconds = isJsonObject(options) ? options['token_lifetime_seconds'] : undefined
  return typeof seconds === 'number' ? seconds : LIFETIME_SECONDS
}

function subjectSource(source: JsonObject): SubjectSource | undefined {
  const path = textOf(source['file'])
  if (path !== undefined) return { kind: 'file', path }
  const url = textOf(source['url'])
  // AWS's credentials are signed, not read.
  if (url === undefined || !isHttpUrl(url) || source['environment_id'] !== undefined) return undefined
  const written = source['headers']
  const headers = Object.entries(isJsonObject(written) ? written : {}).map(([name, value]) => [
    name.toLowerCase(),
    textOf(value) ?? JSON.stringify(value ?? null),
  ])
  return { kind: 'url', url, headers: Object.fromEntries(headers) }
}

function impersonated(json: JsonObject, where: string): Impersonated | Misconfiguration {
  const url = textOf(json['service_account_impersonation_url'])
  const inner = json['source_credentials']
  if (url === undefined || !isJsonObject(inner))
    return lacking(where, 'service_account_impersonation_url or source_credentials')
  const source = credentialsOf(inner, `${where}: source_credentials`)
  if ('message' in source) return source
  if (source.kind !== 'service_account' && source.kind !== 'authorized_user')
    return { message: `${where}: source_credentials must be a service account or an authorized user` }
  const delegates = json['delegates']
  return {
    kind: 'impersonated_service_account',
    source,
    url,
    delegates: Array.isArray(delegates) ? delegates.map(String) : [],
    project: textOf(json['quota_project_id']) ?? source.project,
    secrets: source.secrets,
  }
}
