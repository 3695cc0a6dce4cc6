import type { Deployment, Misconfiguration } from '../../core/deployment.ts'
import { Secret } from '../../core/secret.ts'
import type { WireRequest } from '../../transport/wire.ts'
import type { AuthGround, Connected, Target } from '../adapter.ts'
import { authorizedBy } from './authorize.ts'
import type { GoogleCredentials } from './google-credentials.ts'
import { fetchGoogleToken, type GoogleToken } from './google-token.ts'

/** A token that ends sooner is not sent any more, milliseconds: the request has to get there first. */
const SPARE_MS = 60_000
/** With less than this left another one is fetched, while the old one is still sent. */
const RENEW_MS = 5 * 60_000

/**
 * A deployment whose requests carry an access token of Google's. A token is fetched when the first request needs one,
 * one fetch at a time, and renewed before it ends. A token that an upstream refuses is kept: it is not the token's age
 * that is wrong then.
 */
export function authorizedByGoogle(
  credentials: GoogleCredentials,
  deployment: Deployment,
  target: Target,
): Connected | Misconfiguration {
  const connected = authorizedBy([], deployment, target)
  if ('message' in connected) return connected
  const project = quotaProject(credentials)
  const tokens = tokenCache(credentials)
  const carry = (request: WireRequest, ground: AuthGround, { secret }: GoogleToken) =>
    connected.authorize(
      {
        ...request,
        headers: {
          ...request.headers,
          ...(project !== undefined && { 'x-goog-user-project': project }),
          authorization: `Bearer ${secret.reveal()}`,
        },
      },
      ground,
    )
  return {
    target,
    secrets: [...connected.secrets, ...credentials.secrets],
    freshSecrets: tokens.known,
    authorize: (request, ground) => {
      const token = tokens.current(ground)
      return token instanceof Promise
        ? token.then((fetched) => carry(request, ground, fetched))
        : carry(request, ground, token)
    },
  }
}

/** Whose quota counts where the caller is a person. */
function quotaProject(credentials: GoogleCredentials): string | undefined {
  return credentials.kind === 'authorized_user' || credentials.kind === 'external_account'
    ? credentials.project
    : undefined
}

/** The token of one deployment. */
interface TokenCache {
  current(ground: AuthGround): GoogleToken | Promise<GoogleToken>
  readonly known: () => readonly Secret[]
}

function tokenCache(credentials: GoogleCredentials): TokenCache {
  let token: GoogleToken | undefined
  let fetching: Promise<GoogleToken> | undefined
  let known: readonly Secret[] = []
  const fetch = (ground: AuthGround): Promise<GoogleToken> => {
    fetching ??= fetchGoogleToken(credentials, ground)
      .then((fetched) => {
        // The one before may still be echoed by who was sent it.
        known = token === undefined ? [fetched.secret] : [token.secret, fetched.secret]
        token = fetched
        return fetched
      })
      .finally(() => {
        fetching = undefined
      })
    return fetching
  }
  return {
    known: () => known,
    current: (ground) => {
      const left = token === undefined ? 0 : token.endsAt - ground.now()
      if (token === undefined || left <= SPARE_MS) return fetch(ground)
      // A failure is told to whoever has to wait for it, once nothing is left.
      if (left <= RENEW_MS && fetching === undefined) fetch(ground).catch(() => {})
      return token
    },
  }
}
