import { checkBlock, checkValue, reportUnknownSetting, type Report } from './check.ts'
import { didYouMean } from '../core/closest.ts'
import { isRoutingStrategy, ROUTING_STRATEGIES } from '../core/routing-strategy.ts'
import type { Environment } from './config.ts'
import { resolveVariable, shellVariable } from './env.ts'
import { reportPolicies } from './error-policies.ts'
import { blockOf, INFO, paramKind, PARAMS, type Block } from './known-keys.ts'
import { child, entriesOf, scalarText, textOf, type MapEntry, type MapNode, type YamlNode } from './node.ts'
import { problemAt } from './problem.ts'
import { configSchema } from './schema.ts'
import { generalSettings } from './schema-general.ts'
import { librarySettings } from './schema-library.ts'
import { routerSettings } from './schema-router.ts'

/** The three blocks of settings, by name. */
export const SETTINGS: ReadonlyMap<string, Block> = new Map([
  ['general_settings', blockOf(generalSettings.shape)],
  ['litellm_settings', blockOf(librarySettings.shape)],
  ['router_settings', blockOf(routerSettings.shape)],
])

const TOP = blockOf(configSchema.shape)

/** Read on their own, with their own rules for `os.environ/`. */
const NOT_RESOLVED: ReadonlySet<string> = new Set([
  'model_list',
  'credential_list',
  'environment_variables',
  'include',
])

/** Resolves `os.environ/` in all settings, at any depth; unset variables are reported and count as not set. */
export function resolveSettings(root: MapNode, env: Environment, report: Report): MapNode {
  const entries = new Map<string, MapEntry>()
  for (const [name, entry] of root.entries) {
    const value =
      NOT_RESOLVED.has(name) || !TOP.has(name) ? entry.value : resolveTree(entry.value, name, env, report)
    entries.set(name, { key: entry.key, value })
  }
  return { ...root, entries }
}

function resolveTree(node: YamlNode, path: string, env: Environment, report: Report): YamlNode {
  if (node.kind === 'list') {
    const items = node.items.map((item, index) => resolveTree(item, `${path}.${index}`, env, report))
    // A variable that is not set leaves no hole in a list.
    return {
      ...node,
      items: items.filter((item, index) => item.kind !== 'null' || node.items[index]?.kind === 'null'),
    }
  }
  if (node.kind === 'map') {
    const entries = new Map<string, MapEntry>()
    for (const [name, { key, value }] of node.entries) {
      entries.set(name, { key, value: resolveTree(value, `${path}.${scalarText(key)}`, env, report) })
    }
    return { ...node, entries }
  }
  const resolved = resolveVariable(node, env)
  if (resolved.unset !== undefined) reportUnset(node, path, resolved.unset, env, report)
  return resolved.node
}

function reportUnset(node: YamlNode, path: string, variable: string, env: Environment, report: Report): void {
  const unset = `the environment variable ${variable} is not set`
  if (path === 'general_settings.master_key' && !env['LITELLM_MASTER_KEY']) {
    report(
      problemAt(
        'error',
        node,
        path,
        `${unset}, so every key is refused; set it, or remove master_key to run open`,
      ),
    )
  } else if (path === 'general_settings.health_check_interval') {
    report(problemAt('fatal', node, path, `must be a number above 0, but ${unset}; set it`))
  } else
    report(problemAt('warning', node, path, `${unset}, so this setting is not; set it, or remove this line`))
}

/**
 * Checks everything but model_list: types, unknown keys, missing model_list. `isWhole`: false where a part of
 * the config could not be read, which may be the one that has the model_list.
 */
export function checkRoot(root: MapNode, isWhole: boolean, report: Report): void {
  for (const [name, entry] of root.entries) {
    const block = SETTINGS.get(name)
    if (block !== undefined) {
      checkBlock(block, entry.value, name, report, (key, found) =>
        reportUnknownSetting(key, found, name, SETTINGS, report),
      )
    } else checkTop(name, entry, report)
  }
  reportStrategy(root, report)
  reportStrategyArgs(root, report)
  reportPolicies(root, report)
  const list = root.entries.get('model_list')
  if (list === undefined && isWhole) {
    report({
      severity: 'fatal',
      file: root.source.file,
      path: 'model_list',
      message: 'is missing; list the deployments under it',
    })
  } else if (list !== undefined && list.value.kind !== 'list' && list.value.kind !== 'null') {
    report(
      problemAt('fatal', list.value, 'model_list', 'must be a list; put "- " in front of each model_name'),
    )
  }
  for (const { path, node } of pythonNames(root)) {
    report(problemAt('warning', node, path, 'names Python code, which cannot run here; it is skipped'))
  }
}

/** A way to choose that does not exist is no reason not to start: requests are still to be answered. */
function reportStrategy(root: MapNode, report: Report): void {
  for (const block of ['router_settings', 'litellm_settings']) {
    const node = child(child(root, block), 'routing_strategy')
    const name = textOf(node)
    if (node === undefined || name === undefined || isRoutingStrategy(name)) continue
    const known = ROUTING_STRATEGIES.join(', ')
    const message = `is none of ${known}, so simple-shuffle is used${didYouMean(name, ROUTING_STRATEGIES)}`
    report(problemAt('warning', node, `${block}.routing_strategy`, message))
  }
}

const STRATEGY_ARGS = ['ttl', 'lowest_latency_buffer']

/** One strategy has options, and two of LiteLLM's; whoever writes others must hear that they do nothing. */
function reportStrategyArgs(root: MapNode, report: Report): void {
  const [router, library] = [child(root, 'router_settings'), child(root, 'litellm_settings')]
  const strategy = textOf(child(router, 'routing_strategy') ?? child(library, 'routing_strategy'))
  for (const { key } of entriesOf(child(router, 'routing_strategy_args')).values()) {
    const name = scalarText(key)
    const isKnown = STRATEGY_ARGS.includes(name)
    if (isKnown && strategy === 'latency-based-routing') continue
    const message = isKnown
      ? 'is read with routing_strategy latency-based-routing alone'
      : `unknown key, ignored${didYouMean(name, STRATEGY_ARGS) || `; there are ${STRATEGY_ARGS.join(', ')}`}`
    report(problemAt('warning', key, `router_settings.routing_strategy_args.${name}`, message))
  }
}

function checkTop(name: string, entry: MapEntry, report: Report): void {
  if (name === 'model_list') return
  const known = TOP.get(name)
  if (known !== undefined) {
    checkValue(known, entry.value, name, report)
    return
  }
  // `x-…` and `.…` are where people keep anchors.
  if (/^(?:x-|\.)/.test(name)) return
  const home = [...SETTINGS].find(([, block]) => block.has(name))?.[0]
  const written = scalarText(entry.key)
  const advice =
    home === undefined
      ? `unknown key, ignored${didYouMean(written, TOP.keys())}`
      : `not read here; move it into ${home}`
  report(problemAt('warning', entry.key, written, advice))
}

const CALLBACKS: readonly string[] = [
  'callbacks',
  'success_callback',
  'failure_callback',
  'input_callback',
  'post_call_rules',
  'pre_call_rules',
]

/** Settings that hold `module.name`. */
function pythonNames(root: MapNode): readonly { readonly path: string; readonly node: YamlNode }[] {
  const found: { path: string; node: YamlNode }[] = []
  const look = (node: YamlNode | undefined, path: string): void => {
    if (node?.kind === 'list') node.items.forEach((item, index) => look(item, `${path}.${index}`))
    else if (node?.kind === 'text' && /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$/.test(node.value))
      found.push({ path, node })
  }
  for (const name of CALLBACKS) look(child(child(root, 'litellm_settings'), name), `litellm_settings.${name}`)
  look(child(child(root, 'general_settings'), 'custom_auth'), 'general_settings.custom_auth')
  return found
}

/** Warns of `$VAR` and `${VAR}`, which LiteLLM does not expand and we do not either. */
export function reportShellVariables(node: YamlNode, path: string, report: Report): void {
  if (!node.source.text.includes('$')) return
  if (node.kind === 'list')
    node.items.forEach((item, index) => reportShellVariables(item, join(path, String(index)), report))
  else if (node.kind === 'map') {
    for (const { key, value } of node.entries.values())
      reportShellVariables(value, join(path, scalarText(key)), report)
  } else if (node.kind === 'text' && node.value.includes('$')) {
    const variable = shellVariable(node.value)
    if (variable === undefined) return
    const right = `os.environ/${variable.name ?? 'NAME'}`
    const message = `"$" names no variable here and is kept as it stands; write ${right} as the whole value`
    report(problemAt('warning', node, path, message))
  }
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

/** Paths of settings that are set and known, but that nothing acts on; list positions are left out. */
export function notActedOn(root: MapNode): readonly string[] {
  const paths = new Set<string>()
  const look = (
    node: YamlNode | undefined,
    block: Block | undefined,
    path: string,
    isActed = (name: string): boolean => block?.get(name)?.acted !== false,
  ): void => {
    for (const [name, { value }] of entriesOf(node))
      if (value.kind !== 'null' && !isActed(name)) paths.add(join(path, name))
  }
  const isParamActed = (name: string): boolean => {
    const found = paramKind(name)
    return found.kind !== 'known' || found.acted
  }
  look(root, TOP, '')
  for (const [name, block] of SETTINGS) look(child(root, name), block, name)
  const list = child(root, 'model_list')
  for (const item of list?.kind === 'list' ? list.items : []) {
    look(child(item, 'litellm_params'), PARAMS, 'model_list.litellm_params', isParamActed)
    look(child(item, 'model_info'), INFO, 'model_list.model_info')
  }
  return [...paths]
}
