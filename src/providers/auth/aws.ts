import type { Deployment, Misconfiguration } from '../../core/deployment.ts'
import { Secret } from '../../core/secret.ts'
import type { WireRequest } from '../../transport/wire.ts'
import type { Connected, Target } from '../adapter.ts'
import { authorizedBy } from './authorize.ts'
import { awsKeys } from './aws-keys.ts'
import type { AwsIdentity } from './aws-settings.ts'
import { createSigner, type AwsKeys } from './sigv4.ts'

/** What no key of AWS holds, and no header may. */
const UNWRITABLE = /[^\u0021-\u007e]/
const WRITTEN = ['aws_access_key_id', 'aws_secret_access_key', 'aws_session_token'] as const

/**
 * A deployment whose requests are signed for an AWS service, after its own headers and query were added. One that
 * brings an `authorization` of its own is left alone.
 */
export function signedByAws(
  deployment: Deployment,
  target: Target,
  who: AwsIdentity,
  service: string,
): Connected | Misconfiguration {
  const connected = authorizedBy([], deployment, target)
  if ('message' in connected || deployment.connection.headers['authorization'] !== undefined) return connected
  const written = WRITTEN.map((name) => who.setting(name) ?? who.env[name.toUpperCase()] ?? '')
  const bad = WRITTEN.find((_, at) => UNWRITABLE.test(written[at] ?? ''))
  if (bad !== undefined) {
    return { message: `${bad} holds a space, a line break or a character that no key of AWS holds` }
  }
  const source = awsKeys(who)
  const headersFor = createSigner({ region: who.region, service })
  const sign = (request: WireRequest, keys: AwsKeys, at: number): WireRequest => ({
    ...request,
    headers: { ...request.headers, ...headersFor(request, keys, at) },
  })
  return {
    ...connected,
    secrets: [...connected.secrets, ...written.filter((text) => text !== '').map((text) => new Secret(text))],
    freshSecrets: () => source.freshSecrets(),
    authorize: (request, ground) => {
      const ready = connected.authorize(request, ground)
      const keys = source.get(ground)
      // No promise where all is at hand: most requests are sent at once.
      if (ready instanceof Promise || keys instanceof Promise)
        return Promise.all([ready, keys]).then(([whole, fetched]) => sign(whole, fetched, ground.now()))
      return sign(ready, keys, ground.now())
    },
  }
}
