import { execFile, spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from './program.ts'

const run = promisify(execFile)

/** A PostgreSQL server of a test's own. */
export interface PostgresServer {
  readonly url: string
  /** Sent to the server and to all that serve its connections. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): Promise<void>
  /** Ends it at once, as a machine does that loses power. */
  kill(): Promise<void>
  /** Starts it again where it was. */
  start(): Promise<void>
  /** Ends it, and removes its data. */
  stop(): Promise<void>
}

/** Where the server's programs are; undefined: this machine has none. */
export function postgresFolder(): string | undefined {
  const onPath = (process.env['PATH'] ?? '').split(':')
  const root = '/usr/lib/postgresql'
  const debian = existsSync(root) ? readdirSync(root).map((version) => join(root, version, 'bin')) : []
  return [...debian.sort().reverse(), ...onPath].find((folder) =>
    ['postgres', 'initdb'].every((name) => existsSync(join(folder, name))),
  )
}

/** Why tests that need a server are skipped; false: they are not. */
export const NO_POSTGRES: string | false =
  postgresFolder() === undefined
    ? 'there is no PostgreSQL on this machine: install postgresql to run this test'
    : false

/** PostgreSQL refuses to run as root. */
const NOBODY = 65_534

/** Starts a server with an empty database. */
export async function startPostgres(): Promise<PostgresServer> {
  const folder = postgresFolder() ?? ''
  const data = await mkdtemp(join(tmpdir(), 'pulsegate-postgres-'))
  const isRoot = process.getuid?.() === 0
  const asUser = (program: string, args: readonly string[]): readonly [string, readonly string[]] => {
    const path = join(folder, program)
    if (!isRoot) return [path, args]
    return ['setpriv', [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', path, ...args]]
  }
  if (isRoot) await chown(data, NOBODY, NOBODY)
  await chmod(data, 0o700)
  const [program, args] = asUser('initdb', [
    '-D',
    data,
    '-U',
    'pulse',
    '-A',
    'trust',
    '--no-sync',
    '-E',
    'UTF8',
  ])
  await run(program, args, { cwd: data })
  const port = await freePort()
  const url = `postgres://pulse:canary-database@127.0.0.1:${port}/postgres`
  let ended: Promise<void> = Promise.resolve()
  let pid = 0

  async function start(): Promise<void> {
    const settings = ['-D', data, '-p', String(port), '-k', data, '-c', 'listen_addresses=127.0.0.1', '-F']
    const [program, args] = asUser('postgres', settings)
    const child = spawn(program, args, { cwd: data, stdio: ['ignore', 'ignore', 'pipe'] })
    pid = child.pid ?? 0
    ended = new Promise((resolve) => void child.once('close', () => resolve()))
    await new Promise<void>((resolve, reject) => {
      let text = ''
      child.once('error', reject)
      child.once('close', () => reject(new Error(`PostgreSQL ended: ${text}`)))
      child.stderr.setEncoding('utf8').on('data', (more: string) => {
        text = `${text}${more}`.slice(-10_000)
        if (text.includes('ready to accept connections')) resolve()
      })
    })
  }

  async function signal(name: NodeJS.Signals): Promise<void> {
    const { stdout } = await run('ps', ['-o', 'pid=', '--ppid', String(pid)]).catch(() => ({ stdout: '' }))
    const children = stdout
      .split('\n')
      .map(Number)
      .filter((each) => each > 0)
    for (const each of [pid, ...children])
      try {
        process.kill(each, name)
      } catch {
        // It has ended meanwhile.
      }
  }

  async function kill(): Promise<void> {
    await signal('SIGKILL')
    await ended
    await rm(join(data, 'postmaster.pid'), { force: true })
  }

  await start()
  return {
    url,
    signal,
    kill,
    start,
    stop: async () => {
      await kill().catch(() => undefined)
      await rm(data, { recursive: true, force: true })
    },
  }
}
