import { anthropic } from './anthropic.ts'
import { bedrock } from './bedrock.ts'
import { COMPATIBLE_LAWS } from './compatible-laws.ts'
import { compatibleNative } from './compatible.ts'
import { jinaAi } from './jina-ai.ts'
import type { Native } from './native.ts'
import { nvidiaNim } from './nvidia-nim.ts'
import { voyage } from './voyage.ts'

/** Every provider with words of its own. To add one, add it here. */
export const NATIVES: readonly Native[] = [
  anthropic,
  bedrock,
  voyage,
  jinaAi,
  nvidiaNim,
  ...COMPATIBLE_LAWS.map(compatibleNative),
]

/** The provider that a path names, and the path below it; else the one that owns the path; undefined where there is none. */
export function nativeOf(path: string): { readonly native: Native; readonly path: string } | undefined {
  const [, id, below = ''] = /^\/as-([\w-]+)(\/.*)?$/.exec(path) ?? []
  const native = NATIVES.find((one) => one.id === id)
  if (native !== undefined) return { native, path: below === '' ? '/' : below }
  const owner = NATIVES.find((one) => one.owns?.test(path) === true)
  return owner === undefined ? undefined : { native: owner, path }
}
