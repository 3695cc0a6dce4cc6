import { readFile } from 'node:fs/promises'
import { GatewayError } from '../../core/failure.ts'
import { Secret } from '../../core/secret.ts'
import { withQuery } from '../route.ts'
import { sharedTokens, type Identity } from './credentials.ts'
import type { AuthGround, Granted, Source } from './ground.ts'
import { postForm, requestToken, type TokenRequest } from './token-request.ts'

/** Where a federated token is found: each time anew, for it is renewed in its place. */
export type Assertion =
  | { readonly kind: 'text'; readonly text: Secret; readonly from: string }
  | { readonly kind: 'file'; readonly path: string; readonly from: string }

/** Somebody who can get a token of Entra ID. */
export type EntraCredential =
  | { readonly kind: 'secret'; readonly tenant: string; readonly client: string; readonly secret: Secret }
  | {
      readonly kind: 'password'
      readonly tenant: string
      readonly client: string
      readonly user: Secret
      readonly password: Secret
    }
  | {
      readonly kind: 'assertion'
      readonly tenant: string
      readonly client: string
      readonly assertion: Assertion
    }
  /** A managed identity, of App Service or of the machine; `client`: which of several. */
  | {
      readonly kind: 'identity'
      readonly endpoint: string
      readonly header?: Secret
      readonly client?: string
    }

/** What a token is for, and who hands it out. */
export interface EntraPlace {
  /** `https://login.microsoftonline.com`, without a trailing slash. */
  readonly authority: string
  /** Ends in `/.default`. */
  readonly scope: string
}

const FILE_TIMEOUT_MS = 5_000
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** The tokens of a credential. */
export function entraTokens(credential: EntraCredential, place: EntraPlace): Source<string> {
  const who = ['entra', place.authority, place.scope, credential.kind, ...identityOf(credential)]
  return sharedTokens(who, (ground) => fetchToken(credential, place, ground))
}

function identityOf(credential: EntraCredential): Identity {
  switch (credential.kind) {
    case 'secret':
      return [credential.tenant, credential.client, credential.secret]
    case 'password':
      return [credential.tenant, credential.client, credential.user, credential.password]
    case 'assertion': {
      const { tenant, client, assertion } = credential
      return [tenant, client, assertion.kind, assertion.kind === 'text' ? assertion.text : assertion.path]
    }
    case 'identity':
      return [credential.endpoint, credential.header, credential.client]
  }
}

/** The secrets that a credential is made of. */
export function entraSecrets(credential: EntraCredential): readonly Secret[] {
  switch (credential.kind) {
    case 'secret':
      return [credential.secret]
    case 'password':
      return [credential.user, credential.password]
    case 'assertion':
      return credential.assertion.kind === 'text' ? [credential.assertion.text] : []
    case 'identity':
      return credential.header === undefined ? [] : [credential.header]
  }
}

async function fetchToken(
  credential: EntraCredential,
  place: EntraPlace,
  ground: AuthGround,
): Promise<Granted<string>> {
  switch (credential.kind) {
    case 'secret':
      return requestToken(bySecret(credential, place), ground)
    case 'password':
      return requestToken(byPassword(credential, place), ground)
    case 'assertion':
      return requestToken(byAssertion(credential, place, await readAssertion(credential.assertion)), ground)
    case 'identity':
      return requestToken(ofIdentity(credential, place), ground)
  }
}

type Of<Kind extends EntraCredential['kind']> = Extract<EntraCredential, { readonly kind: Kind }>

/** https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow, the first case. */
function bySecret({ tenant, client, secret }: Of<'secret'>, place: EntraPlace): TokenRequest {
  return {
    service: 'Entra ID',
    wire: postForm(tokenUrl(place, tenant), {
      grant_type: 'client_credentials',
      client_id: client,
      client_secret: secret.reveal(),
      scope: place.scope,
    }),
    secrets: [secret],
    blamed: (code, text) => blamed('the client_secret', code, text),
  }
}

/** The third case of the same page: a federated credential. */
function byAssertion({ tenant, client, assertion }: Of<'assertion'>, place: EntraPlace, token: Secret) {
  return {
    service: 'Entra ID',
    wire: postForm(tokenUrl(place, tenant), {
      grant_type: 'client_credentials',
      client_id: client,
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: token.reveal(),
      scope: place.scope,
    }),
    secrets: [token],
    blamed: (code: string, text: string) => blamed(`the federated token of ${assertion.from}`, code, text),
  }
}

/** https://learn.microsoft.com/entra/identity-platform/v2-oauth-ropc */
function byPassword({ tenant, client, user, password }: Of<'password'>, place: EntraPlace): TokenRequest {
  return {
    service: 'Entra ID',
    wire: postForm(tokenUrl(place, tenant), {
      grant_type: 'password',
      client_id: client,
      username: user.reveal(),
      password: password.reveal(),
      scope: place.scope,
    }),
    secrets: [user, password],
    blamed: (code, text) => blamed('azure_username or azure_password', code, text),
  }
}

/**
 * App Service: https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference; a
 * machine: https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
 */
function ofIdentity({ endpoint, header, client }: Of<'identity'>, { scope }: EntraPlace): TokenRequest {
  const version = header === undefined ? '2018-02-01' : '2019-08-01'
  const named = withQuery(
    withQuery(endpoint, 'api-version', version),
    'resource',
    scope.replace(/\/\.default$/, ''),
  )
  return {
    service: 'the managed identity endpoint',
    wire: {
      method: 'GET',
      url: client === undefined ? named : withQuery(named, 'client_id', client),
      headers: {
        accept: 'application/json',
        ...(header === undefined ? { metadata: 'true' } : { 'x-identity-header': header.reveal() }),
      },
    },
    secrets: header === undefined ? [] : [header],
    blamed: () =>
      client === undefined
        ? 'this machine: no managed identity is assigned to it'
        : 'the managed identity that client_id (AZURE_CLIENT_ID) names',
  }
}

function tokenUrl({ authority }: EntraPlace, tenant: string): string {
  return `${authority}/${encodeURIComponent(tenant)}/oauth2/v2.0/token`
}

/**
 * Which setting a refusal is about (https://learn.microsoft.com/entra/identity-platform/reference-error-codes, read
 * 2026-11-27). What the number does not tell is said of the credential itself.
 */
const BLAMED: readonly (readonly [RegExp, string])[] = [
  [/AADSTS(90002|900021|900023|90013|50059)\b/, 'the tenant_id'],
  [/AADSTS(700016|7000112|7000229)\b/, 'the client_id'],
  [/AADSTS(70011|500011|1002012|650057)\b/, 'the azure_scope'],
]

function blamed(credential: string, code: string, text: string): string {
  const named = BLAMED.find(([pattern]) => pattern.test(text))?.[1]
  if (named !== undefined) return named
  if (code === 'unauthorized_client') return 'the client_id'
  return code === 'invalid_scope' || code === 'invalid_resource' ? 'the azure_scope' : credential
}

/** @throws GatewayError auth where there is no token to be found */
async function readAssertion(assertion: Assertion): Promise<Secret> {
  if (assertion.kind === 'text') return assertion.text
  const { path, from } = assertion
  let text: string
  try {
    text = await readFile(path, { encoding: 'utf8', signal: AbortSignal.timeout(FILE_TIMEOUT_MS) })
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'it takes too long'
    throw new GatewayError('auth', `no token: the file ${path} of ${from} cannot be read: ${why}`, {
      cause: error,
    })
  }
  if (text.trim() === '') throw new GatewayError('auth', `no token: the file ${path} of ${from} is empty`)
  return new Secret(text.trim())
}
