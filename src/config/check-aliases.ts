import { didYouMean } from '../core/closest.ts'
import type { Deployment } from '../core/deployment.ts'
import type { ResolveModel } from '../core/resolve.ts'
import type { Report } from './check.ts'
import { child, entriesOf, scalarText, textOf, type MapNode } from './node.ts'
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
