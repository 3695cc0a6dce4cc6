import { createHash } from 'node:crypto'
import type { Deployment } from '../core/deployment.ts'

/** What is looked at: deployments that are the same to their provider share one identity, and one look. */
export interface IdentityInputs {
  readonly deployment: Deployment
  /** The address that its line leads to. */
  readonly base: string
}

/**
 * The name under which a deployment is shared: a hash of all that a look at it depends on. The key goes in and cannot be
 * got out again; whoever may not read the config learns nothing from it. 26 characters.
 */
export function identityOf({ deployment, base }: IdentityInputs): string {
  const { provider, upstreamModel, mode, connection, probe, bodyDefaults } = deployment
  const { apiKey, azureAdToken, organization, apiBaseQuery, headers, apiVersion = '' } = connection
  const hash = createHash('sha256')
  const { backgroundDisabled: _, ...probing } = probe
  for (const part of [
    base,
    provider,
    upstreamModel,
    mode,
    apiVersion,
    JSON.stringify(probing),
    JSON.stringify(bodyDefaults),
    ...[apiKey, azureAdToken, organization, apiBaseQuery].map((secret) => secret?.reveal() ?? ''),
    ...(connection.settings === undefined ? [] : [JSON.stringify(connection.settings)]),
    ...Object.entries({ ...connection.secrets, ...headers }).flatMap(([name, value]) => [
      name,
      value.reveal(),
    ]),
  ])
    hash.update(`${part.length}:${part}`)
  return hash.digest('base64url').slice(0, 26)
}
