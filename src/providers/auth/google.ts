import type { Deployment, Misconfiguration } from '../../core/deployment.ts'
import { Secret } from '../../core/secret.ts'
import type { Connected, Target } from '../adapter.ts'
import { authorizedByToken, type SecretHeader } from './authorize.ts'
import { sharedTokens } from './credentials.ts'
import type { GoogleCredentials } from './google-credentials.ts'
import { fetchGoogleToken } from './google-token.ts'

/**
 * A deployment whose requests carry an access token of Google's. A token that an upstream refuses is kept: it is not
 * the token's age that is wrong then.
 */
export function authorizedByGoogle(
  credentials: GoogleCredentials,
  deployment: Deployment,
  target: Target,
): Connected | Misconfiguration {
  const tokens = sharedTokens(['google', credentials.identity], (ground) =>
    fetchGoogleToken(credentials, ground),
  )
  return authorizedByToken(tokens, credentials.secrets, deployment, target, quotaProject(credentials))
}

/** Whose quota counts where the caller is a person. */
function quotaProject(credentials: GoogleCredentials): readonly SecretHeader[] {
  const isPerson = credentials.kind === 'authorized_user' || credentials.kind === 'external_account'
  if (!isPerson || credentials.project === undefined) return []
  return [
    { name: 'x-goog-user-project', prefix: '', secret: new Secret(credentials.project), isPlaceholder: true },
  ]
}
