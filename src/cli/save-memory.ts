import { statSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import type { Cancel } from '../core/clock.ts'
import { growth } from './held-outside.ts'

/** Up to here, bytes, a config is read before V8's optimizing compilers could have earned what they take. */
const SMALL_CONFIG_BYTES = 256 * 1024

/**
 * So much is added to what a collection of everything has left, percent, before the next one: left to itself V8 makes nine
 * of them while it reads a large config, which is a quarter of a second and more.
 */
const GROWTH_PERCENT = 50

/**
 * Has V8 collect garbage rather than take more memory, until cancelled. Loading a large config makes several
 * times its own size of garbage: with this 10,000 deployments listen at 190 MB, of which 160 are left a second later,
 * without it at 310 MB. Not for serving: it also makes code slower.
 *
 * A small config is also read without TurboFan and Maglev: their own pages and what they leave behind are 8 to 15 MB
 * of a gateway at rest. A large one would start 0.6 s later. They are switched off as a whole: under limits of what
 * they may compile V8 marks whatever was hot as never to be compiled, and that includes half of Node's HTTP.
 */
export function saveMemory(configFile: string | undefined): Cancel {
  setFlagsFromString('--optimize-for-size')
  const isCompiling = !isSmall(configFile)
  if (isCompiling) growth.growBy(GROWTH_PERCENT)
  else setFlagsFromString('--no-turbofan --no-maglev')
  return () => {
    setFlagsFromString('--no-optimize-for-size')
    if (isCompiling) growth.growBy(0)
    else setFlagsFromString('--turbofan --maglev')
  }
}

/** What cannot be looked at is refused later on, in better words. */
function isSmall(file: string | undefined): boolean {
  const size = file === undefined ? 0 : (statSync(file, { throwIfNoEntry: false })?.size ?? 0)
  return size <= SMALL_CONFIG_BYTES
}
