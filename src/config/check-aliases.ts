import { didYouMean } from '../core/closest.ts'
import type { Deployment } from '../core/deployment.ts'
import type { ResolveModel } from '../core/resolve.ts'
import type { Report } from './check.ts'
import { child, entriesOf, scalarText, textOf, type MapNode, type YamlNode } from './node.ts'
import { problemAt } from './problem.ts'

/** Warns of aliases that stand for nothing that there is: whoever asked for one would be told that it is unknown. */
export function reportAliases(
  root: MapNode,
  deployments: readonly Deployment[],
  resolve: ResolveModel,
  report: Report,
): void {
  for (const block of ['router_settings', 'litellm_settings']) {
    for (const { key, value } of entriesOf(child(child(root, block), 'model_group_alias')).values()) {
      const node = value.kind === 'map' ? child(value, 'model') : value
      const target = textOf(node)
      if (node === undefined || target === undefined || isKnown(target, deployments, resolve)) continue
      const path = `${block}.model_group_alias.${scalarText(key)}`
      const hint = didYouMean(target, new Set(deployments.map(({ group }) => group)))
      report(problemAt('warning', node, path, `there is no model group "${target}"${hint}`))
    }
  }
}

const FALLBACKS = ['fallbacks', 'context_window_fallbacks', 'content_policy_fallbacks'] as const

/**
 * Warns of fallbacks that nobody answers to, which are passed over, and of groups that nobody asks for by that name:
 * they have no use for fallbacks, or for a retry policy.
 */
export function reportFallbacks(
  root: MapNode,
  deployments: readonly Deployment[],
  resolve: ResolveModel,
  report: Report,
): void {
  let isNamed: ((name: string) => boolean) | undefined
  const look = (node: YamlNode | undefined, path: string): void => {
    const name = node?.kind === 'map' ? textOf(child(node, 'model')) : textOf(node)
    if (node === undefined || name === undefined || name === '*') return
    isNamed ??= createIsNamed(root, deployments, resolve)
    if (isNamed(name)) return
    const hint = didYouMean(name, new Set(deployments.map(({ group }) => group)))
    report(problemAt('warning', node, path, `there is no model group "${name}"${hint}`))
  }
  for (const block of ['router_settings', 'litellm_settings']) {
    const settings = child(root, block)
    for (const list of FALLBACKS)
      for (const map of itemsOf(child(settings, list)))
        for (const { key, value } of entriesOf(map).values()) {
          const path = `${block}.${list}.${scalarText(key)}`
          look(key, path)
          for (const item of itemsOf(value)) look(item, path)
        }
    const defaults = `${block}.default_fallbacks`
    for (const item of itemsOf(child(settings, 'default_fallbacks'))) look(item, defaults)
  }
  const policies = child(child(root, 'router_settings'), 'model_group_retry_policy')
  for (const { key } of entriesOf(policies).values())
    look(key, `router_settings.model_group_retry_policy.${scalarText(key)}`)
}

function itemsOf(node: YamlNode | undefined): readonly YamlNode[] {
  return node?.kind === 'list' ? node.items : []
}

/** By any name, an alias too; of thousands of fallbacks and deployments each is looked at once. */
function createIsNamed(
  root: MapNode,
  deployments: readonly Deployment[],
  resolve: ResolveModel,
): (name: string) => boolean {
  const aliases = ['router_settings', 'litellm_settings'].flatMap((block) =>
    Array.from(entriesOf(child(child(root, block), 'model_group_alias')).keys()),
  )
  const names = new Set([...aliases, ...deployments.flatMap(({ id, group, model }) => [id, group, model])])
  const wild = deployments.filter(({ group }) => group.includes('*'))
  return (name) => names.has(name) || isKnown(name, wild, resolve)
}

/** Warns of groups that cannot hedge: nobody has that name, or there is nobody else to ask. */
export function reportHedges(root: MapNode, deployments: readonly Deployment[], report: Report): void {
  const block = child(child(root, 'router_settings'), 'model_group_hedge')
  for (const [name, { key }] of entriesOf(block)) {
    const count = deployments.filter(({ group }) => group === name).length
    if (count > 1) continue
    const path = `router_settings.model_group_hedge.${name}`
    const hint = didYouMean(name, new Set(deployments.map(({ group }) => group)))
    const message = count === 0 ? `no model_name is "${name}"${hint}` : 'there is no second deployment to ask'
    report(problemAt('warning', key, path, message))
  }
}

/** By any of the names that a client may ask for. */
function isKnown(target: string, deployments: readonly Deployment[], resolve: ResolveModel): boolean {
  const { provider, problem } = resolve(target, {})
  const names = problem === undefined ? [target, `${provider}/${target}`] : [target]
  return deployments.some(
    ({ id, group, model }) =>
      [id, group, model].includes(target) ||
      (group.includes('*') && names.some((name) => wildcard(group).test(name))),
  )
}

function wildcard(group: string): RegExp {
  const parts = group.split('*').map((part) => part.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`))
  return new RegExp(`^${parts.join('.*')}$`, 's')
}
