import type { Target } from '../adapter.ts'

/** The three routes that Cohere serves in both versions of its API. */
export type CohereRoute = 'chat' | 'embed' | 'rerank'
/** Bodies and answers differ between the two. */
export type CohereVersion = 'v1' | 'v2'

/**
 * Where a route is served, and in which version's words. A base that ends in `/v1` or `/v2`, with or without
 * a route after it, is meant: `https://proxy/v1/rerank` is used as it is. Otherwise v2.
 */
export function cohereAddress(
  target: Target,
  route: CohereRoute,
): { readonly url: string; readonly version: CohereVersion } {
  const [, root = target.base, written] = WRITTEN.exec(target.base) ?? []
  const version = written === 'v1' ? 'v1' : 'v2'
  return { url: `${root}/${version}/${route}`, version }
}

const WRITTEN = /^(.*?)\/(v[12])(?:\/(?:chat|embed|rerank))?$/

/** The list of models: free, and it takes the key. */
export function cohereModelsUrl({ base }: Pick<Target, 'base'>): string {
  return `${WRITTEN.exec(base)?.[1] ?? base}/v1/models`
}

/** True where the base speaks the older version. */
export function isV1(target: Target, route: CohereRoute): boolean {
  return cohereAddress(target, route).version === 'v1'
}
