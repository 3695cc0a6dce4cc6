import { anthropic } from './anthropic.ts'
import { COMPATIBLE_LAWS } from './compatible-laws.ts'
import { compatibleNative } from './compatible.ts'
import { HUGGINGFACE } from './huggingface.ts'
import { jinaAi } from './jina-ai.ts'
import { GEMINI } from './gemini.ts'
import { MISTRAL } from './mistral.ts'
import type { Native } from './native.ts'
import { nvidiaNim } from './nvidia-nim.ts'
import { OLLAMA } from './ollama.ts'
import { VERTEX_AI } from './vertex_ai.ts'
import { voyage } from './voyage.ts'

/** Every provider with words of its own. To add one, add it here. */
export const NATIVES: readonly Native[] = [
  anthropic,
  GEMINI,
  VERTEX_AI,
  HUGGINGFACE,
  MISTRAL,
  OLLAMA,
  voyage,
  jinaAi,
  nvidiaNim,
  ...COMPATIBLE_LAWS.map(compatibleNative),
]

/** The provider that a path names, and the path below it; undefined where it names none. */
export function nativeOf(path: string): { readonly native: Native; readonly path: string } | undefined {
  const own = NATIVES.find((one) => one.paths?.test(path))
  if (own !== undefined) return { native: own, path }
  const [, id, below = ''] = /^\/as-([\w-]+)(\/.*)?$/.exec(path) ?? []
  const native = NATIVES.find((one) => one.id === id)
  return native === undefined ? undefined : { native, path: below === '' ? '/' : below }
}
