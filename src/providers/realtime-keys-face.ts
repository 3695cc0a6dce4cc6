import type { Deployment } from '../core/deployment.ts'
import type { Secret } from '../core/secret.ts'
import type { RealtimeKeyRoute, Target } from './adapter.ts'

/** How a provider hands out keys for browsers, and takes them back. */
export interface RealtimeKeysFace {
  url(target: Target, route: RealtimeKeyRoute): string
  /** The deployment with such a key in place of its own credentials. */
  withKey(deployment: Deployment, key: Secret): Deployment
  /** Where calls over WebRTC begin; each stands below it by its id. Undefined: not under this version of the API. */
  callsUrl(target: Target): string | undefined
}
