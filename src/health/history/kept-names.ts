import type { Deployment } from '../../core/deployment.ts'
import type { KeptDeployment } from '../../core/history.ts'
import type { Was } from '../../core/was.ts'

/** How the history knows the deployments of one config. Identities are hashes: each is made when it is first asked for. */
export interface KeptNames {
  of(index: number): KeptDeployment
  /** What was made already. */
  known(index: number): KeptDeployment | undefined
}

/** Makes them; those of the config before go on where they are the same. */
export function createKeptNames(
  deployments: readonly Deployment[],
  identity: (deployment: Deployment) => string,
  before?: { readonly names: KeptNames; readonly was: Was },
): KeptNames {
  const known = new Map<number, KeptDeployment>()
  for (const deployment of before === undefined ? [] : deployments) {
    const earlier = before?.was(deployment.index)
    const name = earlier === undefined ? undefined : before?.names.known(earlier)
    if (name !== undefined && hasSameName(name, deployment)) known.set(deployment.index, name)
  }
  return {
    known: (index) => known.get(index),
    of: (index) => {
      const made = known.get(index) ?? keptOf(deployments[index], identity)
      known.set(index, made)
      return made
    },
  }
}

/** One that is called as before has the same identity where this is true too. */
export function hasSameName(
  one: Pick<KeptDeployment, 'id' | 'group' | 'model'>,
  { id, group, model }: Pick<KeptDeployment, 'id' | 'group' | 'model'>,
): boolean {
  return one.id === id && one.group === group && one.model === model
}

function keptOf(
  deployment: Deployment | undefined,
  identity: (deployment: Deployment) => string,
): KeptDeployment {
  if (deployment === undefined) return { identity: '', id: '', group: '', model: '' }
  const { id, group, model } = deployment
  return { identity: identity(deployment), id, group, model }
}
