import { HUGGINGFACE } from './huggingface.ts'
import { MISTRAL } from './mistral.ts'
import type { Native } from './native.ts'
import { OLLAMA } from './ollama.ts'

/** Every provider with words of its own. To add one, add it here. */
export const NATIVES: readonly Native[] = [HUGGINGFACE, MISTRAL, OLLAMA]

/** The provider that a path names, and the path below it; undefined where it names none. */
export function nativeOf(path: string): { readonly native: Native; readonly path: string } | undefined {
  const own = NATIVES.find((one) => one.paths?.test(path))
  if (own !== undefined) return { native: own, path }
  const [, id, below = ''] = /^\/as-(\w+)(\/.*)?$/.exec(path) ?? []
  const native = NATIVES.find((one) => one.id === id)
  return native === undefined ? undefined : { native, path: below === '' ? '/' : below }
}
