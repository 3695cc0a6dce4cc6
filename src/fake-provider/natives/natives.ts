import { assemblyAi } from './assemblyai.ts'
import { deepgram } from './deepgram.ts'
import { elevenLabs } from './elevenlabs.ts'
import type { Native } from './native.ts'
import { replicate } from './replicate.ts'
import { xai } from './xai.ts'

/** Every provider with words of its own. To add one, add it here. */
export const NATIVES: readonly Native[] = [deepgram, elevenLabs, assemblyAi, replicate, xai]

/** The provider that a path names, and the path below it; undefined where it names none. */
export function nativeOf(path: string): { readonly native: Native; readonly path: string } | undefined {
  const [, id, below = ''] = /^\/as-(\w+)(\/.*)?$/.exec(path) ?? []
  const native = NATIVES.find((one) => one.id === id)
  return native === undefined ? undefined : { native, path: below === '' ? '/' : below }
}
