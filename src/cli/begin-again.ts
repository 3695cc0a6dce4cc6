import { accessSync, constants } from 'node:fs'

/**
 * What V8 takes only at the start of a process. Its memory reducer collects in times of rest, and has the heap grow in
 * small steps after it: the first large bodies are then paid for several times over in collections. What it would
 * have given back is collected by `collect-garbage.ts`, when there is much of it.
 */
const FLAGS = ['--no-memory-reducer']
/**
 * glibc keeps freed memory apart for each thread that compiles or collects: with two such places a busy gateway holds
 * 10 MB less. One would be another 4 MB less, and the threads would wait for each other while a large config is read.
 */
const ENV = { MALLOC_ARENA_MAX: '2' }

/**
 * Replaces the program by itself, started with what helps a gateway and can be had no later; to be called before
 * anything is loaded that would have to be loaded again (it takes 20 ms). The process keeps its number. Nothing happens where the
 * program was started so already, and where a process cannot be replaced or may not be: it only holds more memory then.
 */
export function beginAgain(target: NodeJS.Process): void {
  const { execPath, execArgv, argv, env, platform } = target
  if (platform !== 'linux' || isTuned(target) || !canStart(execPath)) return
  try {
    target.execve?.(execPath, [execPath, ...FLAGS, ...execArgv, ...argv.slice(1)], { ...ENV, ...env })
  } catch (error) {
    // Under Node's permission model no process is started.
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_ACCESS_DENIED')) throw error
  }
}

/** Was this process started so? */
export function isTuned({ execArgv }: Pick<NodeJS.Process, 'execArgv'>): boolean {
  return FLAGS.every((flag) => execArgv.includes(flag))
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
