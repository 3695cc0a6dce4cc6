import type { Deployment } from '../core/deployment.ts'
import type { NamedMembers } from '../health/standing-views.ts'
import type { Directory } from '../routing/choice/directory.ts'

/** Whoever a request for `name` may be answered by, under the name of their group; nobody where there is none. */
export function groupMembers(directory: Directory, name: string): NamedMembers {
  const group = directory.groupOf(name)
  const members: readonly Deployment[] = directory.byGroup(group)
  if (members.length > 0) return { name: group, members }
  return { name: group, members: directory.candidates(name).map(({ deployment }) => deployment) }
}
