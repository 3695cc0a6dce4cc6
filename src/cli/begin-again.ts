import { accessSync, constants } from 'node:fs'

/**
 * V8's memory reducer collects in times of rest, and has the heap grow in small steps after it: the first large bodies
 * are then paid for several times over in collections. What it would have given back is collected by
 * `collect-garbage.ts`, when there is much of it.
 */
const NO_REDUCER = '--no-memory-reducer'
/**
 * A collection after a pause makes the young generation as small as this, megabytes each half. In 1, V8's own, two
 * collections pass before a request with a large body is over, so that its bytes count as old: more of the same follow.
 */
const LEAST_YOUNG = '--min-semi-space-size=2'
/**
 * V8 13 collects whenever 64 MB of bodies have come and gone, however many are held; so a pace of growth decides. Other
 * versions do not know the word, and would not start.
 */
const BODIES_IN_LIMIT = '--external-memory-accounted-in-global-limit'
/**
 * glibc keeps freed memory apart for each thread that compiles or collects: with two such places a busy gateway holds
 * 10 MB less. One would be another 4 MB less, and the threads would wait for each other while a large config is read.
 */
const ENV = { MALLOC_ARENA_MAX: '2' }

/**
 * Replaces the program by itself, started with what V8 and the C library take at no other time; to be called before
 * anything is loaded that would have to be loaded again (it takes 20 ms). The process keeps its number. Nothing happens
 * where the program was started so already, and where a process cannot be replaced or may not be: it only holds more
 * memory then, and collects more often.
 */
export function beginAgain(target: NodeJS.Process): void {
  const { execPath, execArgv, argv, env, platform, versions } = target
  if (platform !== 'linux' || isTuned(target) || !canStart(execPath)) return
  try {
    const flags = [NO_REDUCER, LEAST_YOUNG, ...(versions.v8.startsWith('13.') ? [BODIES_IN_LIMIT] : [])]
    target.execve?.(execPath, [execPath, ...flags, ...execArgv, ...argv.slice(1)], { ...ENV, ...env })
  } catch (error) {
    // Under Node's permission model no process is started.
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_ACCESS_DENIED')) throw error
  }
}

/** Was this process started so? */
export function isTuned({ execArgv }: Pick<NodeJS.Process, 'execArgv'>): boolean {
  return execArgv.includes(NO_REDUCER)
}

/** A Node that was replaced while it ran, in an upgrade, cannot be started again; to try it would end the process. */
function canStart(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
