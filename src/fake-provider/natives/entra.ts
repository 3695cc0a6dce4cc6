import { jsonReply, type Reply } from '../reply.ts'
import type { Native, NativeCall } from './native.ts'
import { goodReply } from './chat-answers.ts'
import { formOf, strangeFields, tokenFor } from './tokens.ts'

/**
 * Entra ID's token endpoint (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow),
 * and the two of managed identities. It refuses the tenant `unknown-tenant`, the application `unknown-client` and
 * every secret, assertion or password that begins with `wrong`.
 */
export const entra: Native = { id: 'entra', answer, error }

/** In seconds since 1970, as text. */
const FAR_AWAY = '4102444800'
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const SCOPES = [
  'https://cognitiveservices.azure.com/.default',
  'https://ml.azure.com/.default',
  'https://ai.azure.com/.default',
]
const RESOURCES: ReadonlySet<string> = new Set(SCOPES.map((scope) => scope.replace('/.default', '')))

function answer(call: NativeCall): Reply {
  if (call.path === '/metadata/identity/oauth2/token') return ofMachine(call)
  if (call.path === '/msi/token') return ofAppService(call)
  const [, tenant] = /^\/([^/]+)\/oauth2\/v2\.0\/token$/.exec(call.path) ?? []
  if (tenant === undefined || call.method !== 'POST')
    return { status: 404, headers: { 'content-type': 'text/html' }, chunks: ['<html>Not Found</html>'] }
  const form = formOf(call)
  if (form === undefined)
    return refused(
      400,
      'invalid_request',
      "AADSTS900144: The request body must contain the following parameter: 'grant_type'.",
    )
  return ofTenant(tenant, form, call)
}

function ofTenant(tenant: string, form: URLSearchParams, { keys }: NativeCall): Reply {
  const value = (name: string): string => form.get(name) ?? ''
  const known = ['grant_type', 'client_id', 'scope', ...credentialFields(value('grant_type'), form)]
  const [strange] = strangeFields(form, known)
  const missing = known.find((name) => value(name) === '')
  if (strange !== undefined)
    return refused(400, 'invalid_request', `AADSTS900141: The parameter '${strange}' is unknown.`)
  if (missing !== undefined)
    return refused(
      400,
      'invalid_request',
      `AADSTS900144: The request body must contain the following parameter: '${missing}'.`,
    )
  if (tenant === 'unknown-tenant')
    return refused(400, 'invalid_request', `AADSTS90002: Tenant '${tenant}' not found.`)
  const client = value('client_id')
  if (client === 'unknown-client')
    return refused(
      400,
      'unauthorized_client',
      `AADSTS700016: Application with identifier '${client}' was not found in the directory '${tenant}'.`,
    )
  if (!SCOPES.includes(value('scope')))
    return refused(
      400,
      'invalid_scope',
      `AADSTS70011: The provided value for the input parameter 'scope' is not valid. The scope ${value('scope')} is not valid.`,
    )
  const credential = value(known.at(-1) ?? '')
  if (credential.startsWith('wrong') || keys?.has(credential) === false)
    return wrong(known.at(-1) ?? '', client)
  return goodReply({
    token_type: 'Bearer',
    expires_in: 3_599,
    ext_expires_in: 3_599,
    access_token: tokenFor(credential),
  })
}

/** The fields of a grant; the last one is the credential. */
function credentialFields(grant: string, form: URLSearchParams): readonly string[] {
  if (grant === 'password') return ['username', 'password']
  if (form.get('client_assertion_type') === ASSERTION_TYPE)
    return ['client_assertion_type', 'client_assertion']
  return grant === 'client_credentials' ? ['client_secret'] : ['grant_type of client_credentials']
}

function wrong(field: string, client: string): Reply {
  if (field === 'password')
    return refused(
      400,
      'invalid_grant',
      'AADSTS50126: Error validating credentials due to invalid username or password.',
    )
  return field === 'client_assertion'
    ? refused(
        401,
        'invalid_client',
        'AADSTS700211: No matching federated identity record found for presented assertion issuer.',
      )
    : refused(
        401,
        'invalid_client',
        `AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${client}'.`,
      )
}

/** https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token */
function ofMachine({ method, headers, query }: NativeCall): Reply {
  if (headers['metadata'] !== 'true' || method !== 'GET')
    return jsonReply(400, {
      error: 'invalid_request',
      error_description: 'Required metadata header not specified',
    })
  return ofIdentity(query, '2018-02-01')
}

/** https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference */
function ofAppService({ method, headers, query, keys }: NativeCall): Reply {
  const header = headers['x-identity-header']
  if (typeof header !== 'string' || method !== 'GET' || keys?.has(header) === false)
    return jsonReply(401, { statusCode: 401, message: 'Invalid X-IDENTITY-HEADER' })
  return ofIdentity(query, '2019-08-01')
}

function ofIdentity(query: URLSearchParams, version: string): Reply {
  const strange = [...query.keys()].find((name) => !['api-version', 'resource', 'client_id'].includes(name))
  const client = query.get('client_id') ?? 'system'
  if (
    strange !== undefined ||
    query.get('api-version') !== version ||
    !RESOURCES.has(query.get('resource') ?? '')
  )
    return jsonReply(400, {
      error: 'invalid_resource',
      error_description: 'AADSTS500011: The resource principal was not found.',
    })
  if (client === 'unknown-client')
    return jsonReply(400, { error: 'invalid_request', error_description: 'Identity not found' })
  return goodReply({
    access_token: tokenFor(client),
    expires_on: FAR_AWAY,
    resource: query.get('resource') ?? '',
    token_type: 'Bearer',
  })
}

function refused(status: number, code: string, sentence: string): Reply {
  return jsonReply(status, {
    error: code,
    error_description: `${sentence} Trace ID: 0 Correlation ID: 0 Timestamp: 2026-11-27 00:00:00Z`,
    error_codes: [Number(/AADSTS(\d+)/.exec(sentence)?.[1] ?? 0)],
    trace_id: '0',
    correlation_id: '0',
  })
}

function error(status: number, message: string, headers: Readonly<Record<string, string>>): Reply {
  const code = status >= 500 ? 'temporarily_unavailable' : 'invalid_request'
  return jsonReply(status, { error: code, error_description: message }, headers)
}
