import { createHash } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type JsonObject, parseJson } from '../../core/json.ts'
import { createRedact, Secret } from '../../core/secret.ts'
import { numberOf, textOf } from '../answer.ts'
import { bodyText } from '../error-facts.ts'
import { JSON_HEADERS } from '../post-json.ts'
import { asked, dnsSuffix } from './aws-fetch.ts'
import { homeOf, misconfigured, whyUnreadable } from './aws-settings.ts'
import { sharedTokens } from './credentials.ts'
import type { AuthGround, Granted } from './ground.ts'
import { fromEnv, type Env } from './key.ts'
import { granted } from './token-request.ts'

/** Where somebody signed in. */
export interface SignIn {
  /** The file in the cache is named by its hash: the session, else the start URL. */
  readonly cacheKey: string
  readonly region: string
  /** How to sign in again. */
  readonly command: string
}

/** What the file in the cache holds. */
interface Cached {
  readonly path: string
  readonly json: JsonObject
  readonly token: Secret
  readonly endsAt: number
  readonly renewal: Renewal | undefined
}

/** What a new token is got with. */
interface Renewal {
  readonly clientId: string
  readonly clientSecret: Secret
  readonly refreshToken: Secret
}

/** AWS's own clients renew a token this long before it ends, milliseconds. */
const RENEWAL_MS = 5 * 60_000
const TIMEOUT_MS = 10_000
const FILE_TIMEOUT_MS = 5_000

/**
 * The token of a sign-in, as `aws sso login` leaves it behind, read each time. One that ends is renewed where it says
 * how, and written back, as all of AWS's clients do.
 * @throws GatewayError auth where there is none, or where it has ended for good
 */
export async function signedIn(signIn: SignIn, env: Env, ground: AuthGround): Promise<Secret> {
  const cached = await readCache(signIn, env, ground.now())
  const { token, endsAt, renewal } = cached
  if (endsAt - ground.now() > RENEWAL_MS) return token
  const isGood = endsAt > ground.now()
  if (renewal === undefined) {
    if (isGood) return token
    throw hasExpired(signIn)
  }
  try {
    const who = ['aws-sign-in', cached.path, renewal.clientId, renewal.refreshToken]
    return new Secret(await sharedTokens(who, (on) => renewed(cached, renewal, signIn, env, on)).get(ground))
  } catch (error) {
    if (isGood) return token
    throw error instanceof GatewayError && error.kind === 'auth' ? hasExpired(signIn, error) : error
  }
}

/** Whoever signed in must do so again. */
export function hasExpired(signIn: SignIn, cause?: unknown): GatewayError {
  return needsLogin('the sign-in has expired', signIn, cause)
}

function needsLogin(why: string, { command }: SignIn, cause?: unknown): GatewayError {
  return new GatewayError('auth', `no AWS credentials: ${why}; run \`${command}\``, {
    source: 'gateway',
    cause,
  })
}

async function readCache(signIn: SignIn, env: Env, now: number): Promise<Cached> {
  const home = homeOf(env)
  if (home === undefined) throw misconfigured('HOME is not set, and with it the place of the sign-in tokens')
  const file = `${createHash('sha1').update(signIn.cacheKey).digest('hex')}.json`
  const path = join(home, '.aws', 'sso', 'cache', file)
  let text: string
  try {
    text = await readFile(path, { encoding: 'utf8', signal: AbortSignal.timeout(FILE_TIMEOUT_MS) })
  } catch (cause) {
    throw needsLogin(`nobody is signed in: ${path} cannot be read (${whyUnreadable(cause)})`, signIn, cause)
  }
  const parsed = parseJson(text)
  const json = isJsonObject(parsed) ? parsed : {}
  const token = textOf(json['accessToken'])
  const endsAt = timeOf(textOf(json['expiresAt']) ?? '')
  if (token === undefined || token === '' || Number.isNaN(endsAt))
    throw needsLogin(`${path} holds no accessToken with an expiresAt`, signIn)
  return { path, json, token: new Secret(token), endsAt, renewal: renewalIn(json, now) }
}

function renewalIn(json: JsonObject, now: number): Renewal | undefined {
  const clientId = textOf(json['clientId'])
  const clientSecret = textOf(json['clientSecret'])
  const refreshToken = textOf(json['refreshToken'])
  const registeredUntil = timeOf(textOf(json['registrationExpiresAt']) ?? '')
  if (clientId === undefined || clientSecret === undefined || refreshToken === undefined) return undefined
  if (registeredUntil <= now) return undefined
  return { clientId, clientSecret: new Secret(clientSecret), refreshToken: new Secret(refreshToken) }
}

/** Older versions of AWS's command line write `2026-11-27T08:00:00UTC`. */
function timeOf(text: string): number {
  return Date.parse(text.replace(/UTC$/, 'Z'))
}

/** https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/API_CreateToken.html, read 2026-11-27 */
async function renewed(
  cached: Cached,
  { clientId, clientSecret, refreshToken }: Renewal,
  { region }: SignIn,
  env: Env,
  ground: AuthGround,
): Promise<Granted<string>> {
  const base = fromEnv(env, ['AWS_ENDPOINT_URL_SSO_OIDC']) ?? `https://oidc.${region}.${dnsSuffix(region)}`
  const said = { grantType: 'refresh_token', clientId }
  const secret = { clientSecret: clientSecret.reveal(), refreshToken: refreshToken.reveal() }
  const wire = {
    method: 'POST',
    url: `${base.replace(/\/+$/, '')}/token`,
    headers: JSON_HEADERS,
    body: JSON.stringify({ ...said, ...secret }),
  } as const
  const what = 'renewing the sign-in'
  const redact = createRedact([clientSecret, refreshToken])
  const answer = parseJson(bodyText(await asked(wire, what, TIMEOUT_MS, ground, { redact })))
  const token = isJsonObject(answer) ? textOf(answer['accessToken']) : undefined
  const seconds = isJsonObject(answer) ? numberOf(answer['expiresIn']) : undefined
  if (!isJsonObject(answer) || token === undefined || token === '' || seconds === undefined)
    throw new GatewayError(
      'wrong_shape',
      `no AWS credentials: ${what} brought no accessToken with an expiresIn`,
    )
  const now = ground.now()
  const expiresAt = now + seconds * 1_000
  const next = textOf(answer['refreshToken']) ?? refreshToken.reveal()
  await writeBack(cached, { accessToken: token, expiresAt: secondsOf(expiresAt), refreshToken: next })
  return granted(token, now, expiresAt)
}

/** `2026-11-27T08:00:00Z` */
function secondsOf(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** For AWS's other clients, and for the next start: a refresh token may be good only once. */
async function writeBack({ path, json }: Cached, fresh: JsonObject): Promise<void> {
  try {
    await writeFile(`${path}.new`, JSON.stringify({ ...json, ...fresh }), { mode: 0o600 })
    await rename(`${path}.new`, path)
  } catch {
    // A folder that cannot be written to: the token is held here for as long as it is good.
  }
}
