import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { ENTRY } from './bundle.ts'

/** How the program ended. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A finished run. */
export interface Run extends Ending {
  readonly stdout: string
  readonly stderr: string
}

/** The program as a running process. */
export interface Program {
  readonly pid: number
  /** Everything it has written so far. */
  stdout(): string
  stderr(): string
  /** Resolves as soon as stdout or stderr matches; rejects when the program ends or the deadline passes first. */
  seen(pattern: RegExp, deadlineMs?: number): Promise<RegExpExecArray>
  /** Sends a signal and goes on. */
  signal(name: NodeJS.Signals): void
  /** Ends it (SIGTERM, then SIGKILL after `deadlineMs`) and says how it ended. */
  stop(deadlineMs?: number): Promise<Ending>
  readonly ended: Promise<Ending>
}

/** A program that is listening. */
export interface Gateway extends Program {
  /** As it printed it, `0.0.0.0` replaced by an address that can be asked. */
  readonly url: string
}

/** How to start the program. */
export interface StartOptions {
  /** Added to a bare environment: nothing of the caller's own leaks in. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** The script; default: what is published, or the sources where it was not built for this run. */
  readonly entry?: string
}

const MAIN = process.env[ENTRY] ?? resolve(import.meta.dirname, '../../src/main.ts')
const DEADLINE_MS = 20_000
/** Hundreds of starts compile the same program: once is enough. */
const COMPILED = join(tmpdir(), 'pulsegate-compiled')

/** Starts the program; resolves at once. Whoever starts it must stop it. */
export function startProgram(args: readonly string[], options: StartOptions = {}): Program {
  const child = spawn(process.execPath, [options.entry ?? MAIN, ...args], {
    cwd: options.cwd ?? tmpdir(),
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      NODE_COMPILE_CACHE: COMPILED,
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = collect(child)
  const ended = new Promise<Ending>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  return {
    pid: child.pid ?? 0,
    stdout: () => output.stdout(),
    stderr: () => output.stderr(),
    ended,
    seen: (pattern, deadlineMs = DEADLINE_MS) => output.seen(pattern, deadlineMs, ended),
    signal: (name) => void child.kill(name),
    stop: async (deadlineMs = DEADLINE_MS) => {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs)
      try {
        return await ended
      } finally {
        clearTimeout(timer)
      }
    },
  }
}

/** Starts the program and waits until it says where it listens. Give it `--port 0` for a port of its own. */
export async function startGateway(args: readonly string[], options: StartOptions = {}): Promise<Gateway> {
  const program = startProgram(args, options)
  try {
    const [, url = ''] = await program.seen(/listening on (http:\/\/\S+): /)
    return { ...program, url: url.replace('0.0.0.0', '127.0.0.1') }
  } catch (error) {
    await program.stop(0)
    throw error
  }
}

/** Runs the program to its end, or kills it after `deadlineMs`. */
export async function runProgram(
  args: readonly string[],
  options: StartOptions = {},
  deadlineMs = DEADLINE_MS,
): Promise<Run> {
  const program = startProgram(args, options)
  const timer = setTimeout(() => program.signal('SIGKILL'), deadlineMs)
  const ending = await program.ended
  clearTimeout(timer)
  return { ...ending, stdout: program.stdout(), stderr: program.stderr() }
}

/** An empty folder with these files in it, gone after `use`. */
export async function withFolder<Result>(
  files: Readonly<Record<string, string>>,
  use: (folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'pulsegate-'))
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0))
    })
  })
}

interface Output {
  stdout(): string
  stderr(): string
  seen(pattern: RegExp, deadlineMs: number, ended: Promise<Ending>): Promise<RegExpExecArray>
}

function collect(child: ChildProcess): Output {
  const texts = { stdout: '', stderr: '' }
  const watchers = new Set<() => void>()
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text
      for (const watch of watchers) watch()
    })
  const told = (): string => `stdout:\n${texts.stdout}\nstderr:\n${texts.stderr}`
  return {
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    seen: (pattern, deadlineMs, ended) =>
      new Promise((resolve, reject) => {
        const settle = (act: () => void): void => {
          watchers.delete(watch)
          clearTimeout(timer)
          act()
        }
        const watch = (): void => {
          const match = pattern.exec(texts.stdout) ?? pattern.exec(texts.stderr)
          if (match !== null) settle(() => resolve(match))
        }
        const giveUp = (why: string): void =>
          settle(() => reject(new Error(`${why} before ${pattern} was seen\n${told()}`)))
        const timer = setTimeout(() => giveUp(`${deadlineMs} ms passed`), deadlineMs)
        watchers.add(watch)
        void ended.then(
          () => giveUp('the program ended'),
          (error: unknown) => giveUp(String(error)),
        )
        watch()
      }),
  }
}
