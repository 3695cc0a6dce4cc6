import { sign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { GatewayError, type FailureKind } from '../../core/failure.ts'
import { isJsonObject, type JsonObject, parseJson } from '../../core/json.ts'
import type { WireRequest, WireResponse } from '../../transport/wire.ts'
import { numberOf, textOf } from '../answer.ts'
import { bodyText, readError } from '../error-facts.ts'
import type {
  AuthorizedUser,
  ExternalAccount,
  GoogleCaller,
  Impersonated,
  Metadata,
  ServiceAccount,
} from './google-credentials.ts'
import type { AuthGround, Granted } from './ground.ts'
import { FORM_HEADERS, granted, notReached } from './token-request.ts'

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform'
const LIMITS = { timeoutMs: 10_000, maxBytes: 64 * 1024 } as const
/** The metadata server is next door, or nowhere. */
const METADATA_LIMITS = { timeoutMs: 3_000, maxBytes: 64 * 1024 } as const
const SECONDS_PER_TOKEN = 3_600

/**
 * Fetches a token.
 * @throws GatewayError auth where Google does not give one, else what kept it from answering
 */
export async function fetchGoogleToken(
  credentials: GoogleCaller,
  ground: AuthGround,
): Promise<Granted<string>> {
  switch (credentials.kind) {
    case 'service_account':
      return byAssertion(credentials, ground)
    case 'authorized_user':
      return byRefresh(credentials, ground)
    case 'external_account':
      return byExchange(credentials, ground)
    case 'impersonated_service_account':
      return byImpersonation(credentials, ground)
    case 'metadata':
      return byMetadata(credentials, ground)
  }
}

/** A signed claim for a token (https://developers.google.com/identity/protocols/oauth2/service-account#httprest). */
async function byAssertion(account: ServiceAccount, ground: AuthGround): Promise<Granted<string>> {
  const issuedAt = Math.floor(ground.now() / 1_000)
  const assertion = signedJwt(account, {
    iss: account.email,
    scope: SCOPE,
    aud: account.tokenUrl,
    iat: issuedAt,
    exp: issuedAt + SECONDS_PER_TOKEN,
  })
  return askForm(
    account.tokenUrl,
    { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion },
    ground,
  )
}

function signedJwt({ key, keyId }: ServiceAccount, claims: JsonObject): string {
  const header = { alg: 'RS256', typ: 'JWT', ...(keyId !== undefined && { kid: keyId }) }
  const said = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${said}.${sign('RSA-SHA256', Buffer.from(said), key).toString('base64url')}`
}

async function byRefresh(user: AuthorizedUser, ground: AuthGround): Promise<Granted<string>> {
  return askForm(
    user.tokenUrl,
    {
      grant_type: 'refresh_token',
      client_id: user.clientId,
      client_secret: user.clientSecret.reveal(),
      refresh_token: user.refreshToken.reveal(),
    },
    ground,
  )
}

/** https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token */
async function byExchange(account: ExternalAccount, ground: AuthGround): Promise<Granted<string>> {
  const { client, impersonation, workforceProject } = account
  const basic =
    client === undefined
      ? {}
      : {
          authorization: `Basic ${Buffer.from(`${client.id}:${client.secret.reveal()}`).toString('base64')}`,
        }
  const token = await askForm(
    account.tokenUrl,
    {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience: account.audience,
      scope: SCOPE,
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      subject_token_type: account.subjectTokenType,
      subject_token: await subjectToken(account, ground),
      ...(workforceProject !== undefined &&
        client === undefined && { options: JSON.stringify({ userProject: workforceProject }) }),
    },
    ground,
    basic,
  )
  if (impersonation === undefined) return token
  return askAsAccount(impersonation.url, token, { lifetimeSeconds: impersonation.lifetimeSeconds }, ground)
}

/** Read anew for each exchange: what writes it renews it. */
async function subjectToken(account: ExternalAccount, ground: AuthGround): Promise<string> {
  const { subject, subjectField } = account
  const text = subject.kind === 'file' ? await tokenFile(subject.path) : await tokenAt(subject, ground)
  const parsed = subjectField === undefined ? undefined : parseJson(text)
  const token =
    subjectField === undefined ? text.trim() : isJsonObject(parsed) ? textOf(parsed[subjectField]) : undefined
  if (token === undefined || token === '')
    throw refused(`the token to exchange is not where ${placeOf(account)} should hold it`)
  return token
}

function placeOf({ subject }: ExternalAccount): string {
  return subject.kind === 'file' ? subject.path : (subject.url.split('?')[0] ?? '')
}

async function tokenFile(path: string): Promise<string> {
  try {
    return await readFile(path, { encoding: 'utf8', signal: AbortSignal.timeout(LIMITS.timeoutMs) })
  } catch (cause) {
    throw new GatewayError('auth', `the token to exchange cannot be read from ${path}`, {
      source: 'gateway',
      cause,
    })
  }
}

async function tokenAt(
  { url, headers }: { readonly url: string; readonly headers: Readonly<Record<string, string>> },
  ground: AuthGround,
): Promise<string> {
  const response = await sent({ method: 'GET', url, headers }, LIMITS, ground)
  throwIfRefused(url, response)
  return bodyText(response)
}

async function byImpersonation(account: Impersonated, ground: AuthGround): Promise<Granted<string>> {
  const token = await fetchGoogleToken(account.source, ground)
  return askAsAccount(account.url, token, { delegates: account.delegates }, ground)
}

/** https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken */
async function askAsAccount(
  url: string,
  token: Granted<string>,
  {
    lifetimeSeconds = SECONDS_PER_TOKEN,
    delegates = [],
  }: { readonly lifetimeSeconds?: number; readonly delegates?: readonly string[] },
  ground: AuthGround,
): Promise<Granted<string>> {
  const body = JSON.stringify({
    scope: [SCOPE],
    lifetime: `${lifetimeSeconds}s`,
    ...(delegates.length > 0 && { delegates }),
  })
  const headers = {
    accept: 'application/json',
    'content-type': 'application/json',
    authorization: `Bearer ${token.value}`,
  }
  const answer = await asked({ method: 'POST', url, headers, body }, LIMITS, ground)
  const text = textOf(answer['accessToken'])
  const endsAt = Date.parse(textOf(answer['expireTime']) ?? '')
  if (text === undefined || Number.isNaN(endsAt)) throw noToken(url)
  return granted(text, ground.now(), endsAt)
}

async function byMetadata({ host }: Metadata, ground: AuthGround): Promise<Granted<string>> {
  const url = `http://${host}/computeMetadata/v1/instance/service-accounts/default/token`
  const headers = { 'metadata-flavor': 'Google' }
  try {
    return tokenIn(url, await asked({ method: 'GET', url, headers }, METADATA_LIMITS, ground), ground)
  } catch (error) {
    if (!(error instanceof GatewayError) || error.kind === 'auth') throw error
    throw new GatewayError(
      'auth',
      `no credentials for Google: set vertex_credentials or GOOGLE_APPLICATION_CREDENTIALS, or run where ${host} answers (${error.message})`,
      { source: 'gateway', cause: error },
    )
  }
}

async function askForm(
  url: string,
  fields: Readonly<Record<string, string>>,
  ground: AuthGround,
  more: Readonly<Record<string, string>> = {},
): Promise<Granted<string>> {
  const body = new URLSearchParams(fields).toString()
  const headers = { ...FORM_HEADERS, ...more }
  return tokenIn(url, await asked({ method: 'POST', url, headers, body }, LIMITS, ground), ground)
}

/** `{access_token, expires_in, token_type}` */
function tokenIn(url: string, answer: JsonObject, ground: AuthGround): Granted<string> {
  const text = textOf(answer['access_token'])
  if (text === undefined || text === '') throw noToken(url)
  const seconds = numberOf(answer['expires_in']) ?? SECONDS_PER_TOKEN
  const receivedAt = ground.now()
  return granted(text, receivedAt, receivedAt + seconds * 1_000)
}

async function sent(
  request: WireRequest,
  limits: typeof LIMITS | typeof METADATA_LIMITS,
  ground: AuthGround,
): Promise<WireResponse> {
  try {
    return await ground.transport.send(request, limits)
  } catch (error) {
    throw notReached(`no token from ${hostOf(request.url)}`, error)
  }
}

async function asked(
  request: WireRequest,
  limits: typeof LIMITS | typeof METADATA_LIMITS,
  ground: AuthGround,
): Promise<JsonObject> {
  const response = await sent(request, limits, ground)
  throwIfRefused(request.url, response)
  const answer = parseJson(bodyText(response))
  if (!isJsonObject(answer)) throw noToken(request.url)
  return answer
}

function noToken(url: string): GatewayError {
  return refused(`${hostOf(url)} answered without a token`)
}

/** OAuth says `{error: "invalid_grant", error_description}` (RFC 6749 §5.2), Google's other APIs `{error: {…}}`. */
function throwIfRefused(url: string, response: WireResponse): void {
  const { status } = response
  if (status >= 200 && status < 300) return
  const body = parseJson(bodyText(response))
  const described = isJsonObject(body) ? textOf(body['error_description']) : undefined
  const { text } = readError(response)
  const words = described === undefined ? text : `${text}: ${described}`
  throw new GatewayError(
    kindOf(status),
    `${hostOf(url)} gave no token, it answered ${status}${words === '' ? '' : `: ${words.slice(0, 500)}`}`,
    { source: 'gateway' },
  )
}

function kindOf(status: number): FailureKind {
  if (status === 429) return 'rate_limited'
  if (status === 503) return 'overloaded'
  return status >= 500 ? 'server_error' : 'auth'
}

function refused(message: string): GatewayError {
  return new GatewayError('auth', message, { source: 'gateway' })
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url.slice(0, 100)
}
