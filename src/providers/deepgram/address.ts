import type { Target } from '../adapter.ts'
import { joinRoute } from '../route.ts'

/** The base without the route that it may have been pasted with. */
export function deepgramBase({ base }: Pick<Target, 'base'>): string {
  return base.replace(/\/(?:listen|speak)$/, '')
}

/** A route and what is asked of it; a name may come several times. */
export function deepgramUrl(
  target: Pick<Target, 'base'>,
  route: '/listen' | '/speak',
  query: readonly (readonly [string, string])[],
): string {
  const text = new URLSearchParams(query.map(([name, value]): [string, string] => [name, value])).toString()
  return `${joinRoute(deepgramBase(target), route)}?${text}`
}
