import type { Deployment } from '../../core/deployment.ts'
import type { ModelAlias } from '../../core/model-alias.ts'
import type { ResolveModel } from '../../core/resolve.ts'

/** A deployment that answers to the model name asked for. */
export interface Candidate {
  readonly deployment: Deployment
  /** What the `*`s of a wildcard model_name stood for, in order; they fill the `*`s of the upstream's model. */
  readonly captures?: readonly string[]
}

/** Finds deployments by what clients call them; built once, so that a request scans nothing. */
export interface Directory {
  /** Deployments of that `model_info.id`; more than one where ids collide. */
  byId(id: string): readonly Deployment[]
  /** Deployments of that `model_name`. */
  byGroup(name: string): readonly Deployment[]
  /** Deployments whose `litellm_params.model` is this very string. */
  byModel(model: string): readonly Deployment[]
  /** What clients may ask for: all `model_name`s and the aliases that are not hidden, in the config's order. */
  readonly listed: readonly string[]
  /** The group that a name stands for where it is an alias; else the name itself. */
  groupOf(name: string): string
  /**
   * Who may answer a request for `name`, in LiteLLM's order: deployment id, alias, model_name, wildcard model_name
   * (for the name itself, then for `provider/name`), `litellm_params.model`. Empty: nobody.
   */
  candidates(name: string): readonly Candidate[]
}

/** Longer names match no wildcard: the search is quadratic at worst. */
const MAX_WILDCARD_NAME_CHARS = 512

/** Indexes the deployments of one config. `resolve` says whose model a bare name is. */
export function createDirectory(
  deployments: readonly Deployment[],
  resolve: ResolveModel,
  aliases: ReadonlyMap<string, ModelAlias> = new Map(),
): Directory {
  const ids = groupBy(deployments, (each) => each.id)
  const groups = groupBy(deployments, (each) => each.group)
  const models = groupBy(deployments, (each) => each.model)
  const wildcards = [...groups.keys()]
    .filter((name) => name.includes('*'))
    .sort((a, b) => b.length - a.length)
    .map((name) => ({ parts: name.split('*'), members: groups.get(name) ?? [] }))

  const matchWildcard = (name: string): readonly Candidate[] => {
    if (name.length > MAX_WILDCARD_NAME_CHARS) return []
    for (const { parts, members } of wildcards) {
      const captures = capture(parts, name)
      if (captures !== undefined) return members.map((deployment) => ({ deployment, captures }))
    }
    return []
  }
  const byWildcard = (name: string): readonly Candidate[] => {
    if (wildcards.length === 0) return []
    const direct = matchWildcard(name)
    if (direct.length > 0) return direct
    const { provider, problem } = resolve(name, {})
    return problem === undefined ? matchWildcard(`${provider}/${name}`) : []
  }
  const exact = new Map<string, readonly Candidate[]>()
  for (const index of [models, groups, ids]) {
    for (const [name, members] of index) {
      exact.set(
        name,
        members.map((deployment) => ({ deployment })),
      )
    }
  }
  const visible = [...aliases].filter(([, { isHidden }]) => !isHidden).map(([alias]) => alias)
  const groupOf = (name: string): string => (ids.has(name) ? name : (aliases.get(name)?.model ?? name))
  return {
    byId: (id) => ids.get(id) ?? [],
    byGroup: (name) => groups.get(name) ?? [],
    byModel: (model) => models.get(model) ?? [],
    listed: [...new Set([...groups.keys(), ...visible])],
    groupOf,
    candidates: (asked) => {
      const name = groupOf(asked)
      const known = exact.get(name) ?? []
      // A name known as an upstream model only is beaten by a wildcard.
      if (ids.has(name) || groups.has(name)) return known
      const wild = byWildcard(name)
      return wild.length > 0 ? wild : known
    },
  }
}

/** The text that each `*` between `parts` stands for, each as short as can be but the last; undefined: no match. */
function capture(parts: readonly string[], name: string): readonly string[] | undefined {
  const first = parts[0] ?? ''
  const last = parts.at(-1) ?? ''
  if (!name.startsWith(first) || name.length < first.length + last.length || !name.endsWith(last))
    return undefined
  const end = name.length - last.length
  const captures: string[] = []
  let at = first.length
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at)
    if (found === -1 || found + part.length > end) return undefined
    captures.push(name.slice(at, found))
    at = found + part.length
  }
  captures.push(name.slice(at, end))
  return captures
}

/** Puts the captured texts in place of the `*`s of a model name. */
export function fillWildcards(model: string, captures: readonly string[] = []): string {
  let next = 0
  return model.replaceAll('*', () => captures[next++] ?? '*')
}

function groupBy(
  deployments: readonly Deployment[],
  key: (deployment: Deployment) => string,
): Map<string, Deployment[]> {
  const groups = new Map<string, Deployment[]>()
  for (const deployment of deployments) {
    const members = groups.get(key(deployment))
    if (members === undefined) groups.set(key(deployment), [deployment])
    else members.push(deployment)
  }
  return groups
}
