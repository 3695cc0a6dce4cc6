import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** A process of the bench, held on one core where the machine allows it. */
export interface Pinned {
  readonly pid: number
  readonly child: ChildProcess
  stop(): Promise<void>
}

/** The contestants take turns on one core; the load and the upstream share the other. */
export const CONTESTANT_CORE = 0
export const LOAD_CORE = 1

/** Can processes be held on cores here? */
export function canPin(): boolean {
  return availableParallelism() > 1 && spawnSync('taskset', ['-V']).status === 0
}

/** What a process is started with that is not the rule. */
export interface StartOptions {
  /** Where what it says on stderr goes, as a file descriptor; default: it is shown. */
  readonly stderr?: number
  /** Where what it says on stdout goes; default: a pipe that its starter must read, or it stops when it is full. */
  readonly stdout?: number
  /** Added to our own. */
  readonly env?: Readonly<Record<string, string>>
}

/** Starts a command. Node scripts get a channel to their parent. */
export function startPinned(command: readonly string[], core: number, options: StartOptions = {}): Pinned {
  const { stderr = 'inherit', stdout = 'pipe', env = {} } = options
  const [file = '', ...args] = canPin() ? ['taskset', '-c', String(core), ...command] : command
  const child = spawn(file, args, {
    stdio: ['ignore', stdout, stderr, 'ipc'],
    env: { ...process.env, ...env },
  })
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve())
    child.once('exit', () => resolve())
  })
  return {
    pid: child.pid ?? 0,
    child,
    stop: async () => {
      // A gateway drains after the first and ends at the second.
      const timers = [
        setTimeout(() => child.kill('SIGTERM'), 300),
        setTimeout(() => child.kill('SIGKILL'), 5000),
      ]
      child.kill('SIGTERM')
      await ended
      timers.forEach(clearTimeout)
    },
  }
}

/** The next message of a process that is of the wanted form; rejects when it ends or the deadline passes first. */
export function nextMessage<Wanted>(
  { child }: Pinned,
  isWanted: (message: unknown) => message is Wanted,
  deadlineMs: number,
): Promise<Wanted> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearTimeout(timer)
      child.off('message', read)
      child.off('exit', ended)
      act()
    }
    const read = (message: unknown): void => {
      if (isWanted(message)) settle(() => resolve(message))
    }
    const ended = (): void => settle(() => reject(new Error(`${child.spawnargs.join(' ')} ended`)))
    const late = (): void =>
      settle(() => reject(new Error(`${child.spawnargs.join(' ')}: no word within ${deadlineMs} ms`)))
    const timer = setTimeout(late, deadlineMs)
    child.on('message', read)
    child.on('exit', ended)
  })
}

/** What the kernel counts in, per second; 100 on every Linux that people run (`getconf CLK_TCK`). */
const TICKS_PER_S = 100

/**
 * CPU that a process and all its threads have used, milliseconds. From the scheduler's own nanoseconds where the
 * kernel gives them (/proc/pid/task/tid/schedstat), else from ticks (proc(5), /proc/pid/stat, utime + stime).
 */
export function cpuMs(pid: number): number {
  if (existsSync(`/proc/${pid}/schedstat`)) {
    const threads = readdirSync(`/proc/${pid}/task`)
    return threads.reduce((sum, thread) => sum + onCpuMs(`/proc/${pid}/task/${thread}/schedstat`), 0)
  }
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_S
}

/** A thread may end while the others are asked; what it used is then lost, and is next to nothing. */
function onCpuMs(file: string): number {
  return existsSync(file) ? Number(readFileSync(file, 'latin1').split(' ')[0]) / 1_000_000 : 0
}

/** Memory that a process holds now, MB of 1,000,000 bytes. */
export function rssMb(pid: number): number {
  const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
  return (Number(kib) * 1024) / 1_000_000
}

/** CPU that everybody has used on one core, milliseconds (proc(5), /proc/stat: all but idle and iowait). */
export function coreBusyMs(core: number): number {
  const line = new RegExp(`^cpu${core} (.*)$`, 'm').exec(readFileSync('/proc/stat', 'latin1'))?.[1] ?? ''
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line.split(' ').map(Number)
  return ((user + nice + system + irq + softirq + steal) * 1000) / TICKS_PER_S
}
