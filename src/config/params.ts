import type { Environment } from './config.ts'
import { resolveVariable } from './env.ts'
import type { Param } from './model-id.ts'
import { entriesOf, nameOfKey, type MapNode, type YamlNode } from './node.ts'

/** The litellm_params of one deployment, variables resolved. */
export interface Params {
  /** As written, in file order: what the id is made of. */
  readonly own: readonly Param[]
  /** The value of a param: the deployment's own, else its credential's. Absent where null. */
  get(name: string): YamlNode | undefined
  /** Names of what is set, the credential's after the deployment's own. */
  readonly names: readonly string[]
  /** Variables that are not set, with the params that name them. */
  readonly unset: readonly Unset[]
}

/** A param whose variable is not set. */
export interface Unset {
  readonly param: string
  readonly variable: string
  readonly place: YamlNode
}

/** Values under a name in `credential_list`. */
export interface Credential {
  readonly values: ReadonlyMap<string, YamlNode>
  readonly unset: readonly Unset[]
}

/**
 * Resolves `os.environ/` in the top-level strings of litellm_params – LiteLLM looks no deeper – and adds the
 * credential's values where the deployment has none of its own, then the defaults of all deployments.
 */
export function resolveParams(
  node: YamlNode | undefined,
  env: Environment,
  credentialOf: CredentialOf,
  defaults: Credential,
): Params {
  const { own, values, unset } = resolveEntries(node, env)
  const name = values.get(CREDENTIAL) ?? defaults.values.get(CREDENTIAL)
  const credential = name?.kind === 'text' ? credentialOf(name.value) : undefined
  for (const added of [credential, defaults]) {
    unset.push(...(added?.unset ?? []).filter(({ param }) => !values.has(param)))
    for (const [key, value] of added?.values ?? []) if (!values.has(key)) values.set(key, value)
  }
  return { own, get: (key) => values.get(key), names: [...values.keys()], unset }
}

const CREDENTIAL = 'litellm_credential_name'

/** Looks a credential up. */
export type CredentialOf = (name: string) => Credential | undefined

/** Resolves the values of one credential. */
export function readCredential(node: YamlNode | undefined, env: Environment): Credential {
  return resolveEntries(node, env)
}

function resolveEntries(
  node: YamlNode | undefined,
  env: Environment,
): { own: Param[]; values: Map<string, YamlNode>; unset: Unset[] } {
  const own: Param[] = []
  const values = new Map<string, YamlNode>()
  const unset: Unset[] = []
  for (const [param, entry] of entriesOf(node)) {
    const resolved = resolveVariable(entry.value, env)
    own.push({ key: entry.key, value: resolved.node })
    if (resolved.unset !== undefined) unset.push({ param, variable: resolved.unset, place: entry.value })
    else if (resolved.node.kind !== 'null') values.set(param, resolved.node)
  }
  return { own, values, unset }
}

/** The resolved params as a map node, for checks. */
export function asMap(params: Params, place: YamlNode): MapNode {
  const entries = new Map(params.own.map((param) => [nameOfKey(param.key), param]))
  return { kind: 'map', entries, source: place.source, at: place.at }
}
