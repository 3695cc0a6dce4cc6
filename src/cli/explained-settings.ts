import { child, scalarText, toJson, type YamlNode } from '../config/node.ts'
import type { Json } from '../core/json.ts'
import { engineRulesOf } from '../health/engine-rules.ts'
import { placeOf, SPECS, type Block, type ExplainedFrom, type Facts, type Spec } from './explained-specs.ts'

const BLOCKS = {
  general: 'general_settings',
  router: 'router_settings',
  library: 'litellm_settings',
} as const

/** A setting as it holds for one deployment. */
export interface ExplainedSetting {
  readonly name: string
  readonly value: string
  /** `config.yaml:5`, `$NAME` (a variable of the environment), `default`, … */
  readonly from: string
}

/** Every setting that decides about one deployment, and all that is written of it besides; no secret in full. */
export function explainedSettings(from: ExplainedFrom): readonly ExplainedSetting[] {
  const facts: Facts = { ...from, engine: engineRulesOf(from.config.engine) }
  const known = SPECS.map((spec) => explained(spec, facts))
  return [
    ...known,
    ...others(facts, new Set(SPECS.flatMap(({ places }) => places.flatMap(([, ...names]) => names)))),
  ]
}

function explained(spec: Spec, facts: Facts): ExplainedSetting {
  const { name, places, variable } = spec
  const value = spec.value(facts) ?? 'not set'
  for (const [block, ...names] of places)
    for (const each of names) {
      const node = child(blockOf(block, facts), each)
      if (node !== undefined) return { name, value, from: placeOf(node) }
      if (block === 'params') {
        const lent = credentialNode(each, facts)
        if (lent !== undefined) return { name, value, from: `${placeOf(lent)} (credential)` }
        const shared = each === 'model' ? undefined : child(sharedParams(facts), each)
        if (shared !== undefined) return { name, value, from: placeOf(shared) }
      }
    }
  if (variable !== undefined && (facts.config.env[variable] ?? '').trim() !== '')
    return { name, value, from: `$${variable}` }
  return { name, value, from: spec.otherwise?.(facts) ?? 'default' }
}

/** What else is written in litellm_params and model_info, as /model/info shows it. */
function others(facts: Facts, known: ReadonlySet<string>): readonly ExplainedSetting[] {
  const { deployment } = facts
  const rest = (block: 'params' | 'info', shown: Readonly<Record<string, Json | undefined>>) => {
    const node = blockOf(block, facts)
    return node?.kind === 'map'
      ? [...node.entries.values()]
          .map(({ key, value }) => ({ name: scalarText(key), value }))
          .filter(({ name, value }) => !known.has(name) && value.kind !== 'null')
          .map(({ name, value }) => ({ name, value: shownText(shown[name]), from: placeOf(value) }))
      : []
  }
  return [
    ...rest('params', deployment.shownParams),
    ...rest('info', { id: deployment.id, ...deployment.info }),
  ]
}

function shownText(value: Json | undefined): string {
  if (value === undefined) return '[set]'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function blockOf(block: Block, { written, deployment }: Facts): YamlNode | undefined {
  const entry = written.entries[deployment.index]
  switch (block) {
    case 'entry':
      return entry
    case 'params':
      return child(entry, 'litellm_params')
    case 'info':
      return child(entry, 'model_info')
    case 'general':
    case 'router':
    case 'library':
      return child(written.root, BLOCKS[block])
  }
}

/** What every deployment has that has none of its own. */
function sharedParams(facts: Facts): YamlNode | undefined {
  return child(blockOf('router', facts), 'default_litellm_params')
}

/** What the named credential lends it. */
function credentialNode(name: string, facts: Facts): YamlNode | undefined {
  const [wanted] = [blockOf('params', facts), sharedParams(facts)].flatMap(
    (params) => child(params, 'litellm_credential_name') ?? [],
  )
  const list = child(facts.written.root, 'credential_list')
  if (wanted === undefined || list?.kind !== 'list') return undefined
  const text = toJson(wanted)
  const found = list.items.find((item) => {
    const own = child(item, 'credential_name')
    return own !== undefined && toJson(own) === text
  })
  return child(child(found, 'credential_values'), name)
}
