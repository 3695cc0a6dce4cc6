import type { Target } from '../adapter.ts'
import { rootOf } from '../openai/surface.ts'

/** A route's URL. A base that is a host alone has its version added. */
export function jinaUrl(target: Target, route: 'embeddings' | 'rerank'): string {
  const root = rootOf(target)
  return `${new URL(root).pathname === '/' ? `${root}/v1` : root}/${route}`
}
