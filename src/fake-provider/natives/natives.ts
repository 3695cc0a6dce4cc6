import { anthropic } from './anthropic.ts'
import { azureAi } from './azure-ai.ts'
import { COMPATIBLE_LAWS } from './compatible-laws.ts'
import { compatibleNative } from './compatible.ts'
import { databricks } from './databricks.ts'
import { entra } from './entra.ts'
import { jinaAi } from './jina-ai.ts'
import type { Native } from './native.ts'
import { nvidiaNim } from './nvidia-nim.ts'
import { voyage } from './voyage.ts'
import { watsonx } from './watsonx.ts'

/** Every provider with words of its own. To add one, add it here. */
export const NATIVES: readonly Native[] = [
  anthropic,
  azureAi,
  databricks,
  entra,
  voyage,
  jinaAi,
  nvidiaNim,
  watsonx,
  ...COMPATIBLE_LAWS.map(compatibleNative),
]

/** The provider that a path names, and the path below it; undefined where it names none. */
export function nativeOf(path: string): { readonly native: Native; readonly path: string } | undefined {
  const [, id, below = ''] = /^\/as-([\w-]+)(\/.*)?$/.exec(path) ?? []
  const native = NATIVES.find((one) => one.id === id)
  return native === undefined ? undefined : { native, path: below === '' ? '/' : below }
}
