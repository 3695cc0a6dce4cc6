import { Secret } from '../../core/secret.ts'
import type { RealtimeKeysFace } from '../realtime-keys-face.ts'
import { rootOf } from './surface.ts'

/**
 * Keys for browsers (https://platform.openai.com/docs/api-reference/realtime-sessions): `client_secrets`, and the two
 * routes of the beta. What they are for, too: calls (https://platform.openai.com/docs/api-reference/realtime-calls).
 */
export const openAiRealtimeKeys: RealtimeKeysFace = {
  url: (target, route) => `${rootOf(target)}/realtime/${route}`,
  callsUrl: (target) => `${rootOf(target)}/realtime/calls`,
  // A key of its own knows its organization.
  withKey: (deployment, key) => ({
    ...deployment,
    connection: { ...deployment.connection, apiKey: key, organization: NO_ORGANIZATION },
  }),
}

/** Empty, and so not the one of the environment either. */
const NO_ORGANIZATION = new Secret('')
