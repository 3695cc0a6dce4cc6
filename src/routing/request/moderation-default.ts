import type { Deployment } from '../../core/deployment.ts'

/** Whom moderations go to that name no model: the only model group of mode moderation, where there is just one. */
export function moderationDefault(deployments: readonly Deployment[]): { readonly moderationModel?: string } {
  const groups = new Set<string>()
  for (const { group, unprobedMode } of deployments) if (unprobedMode === 'moderation') groups.add(group)
  const [only] = groups
  return groups.size === 1 && only !== undefined ? { moderationModel: only } : {}
}
