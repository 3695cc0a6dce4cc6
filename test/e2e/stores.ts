import assert from 'node:assert/strict'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as later } from 'node:timers/promises'
import { Client } from 'pg'
import { freePort } from './program.ts'

/** A real store as a process of its own. */
export interface StoreServer {
  readonly port: number
  readonly url: string
  /** To the server and all that it started. */
  signal(name: NodeJS.Signals): void
  /** Forgets all that was shared, as FLUSHALL does. */
  empty(): Promise<void>
  /** Starts it again at the same port, empty or not as its kind is. */
  restart(): Promise<void>
  stop(): Promise<void>
}

const READY_MS = 20_000

/** Why there is no Redis for tests; false: there is one. */
export const noRedis: string | false =
  pathOf('redis-server', []) === undefined && 'redis-server is not installed here'

/** Why there is no Postgres for tests; false: there is one. */
export const noPostgres: string | false =
  postgresFolder() === undefined && 'the programs postgres and initdb are not installed here'

/** A Redis that keeps nothing on disk. */
export async function startRedis(): Promise<StoreServer> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'pulsegate-redis-'))
  const launch = (): ChildProcess =>
    spawn(
      pathOf('redis-server', []) ?? 'redis-server',
      ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder],
      { stdio: 'ignore' },
    )
  let child = launch()
  await until(() => answers(port))
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    signal: (name) => void child.kill(name),
    empty: async () => {
      assert.equal(await reply(port, 'FLUSHALL'), '+OK')
    },
    restart: async () => {
      await gone(child)
      child = launch()
      await until(() => answers(port))
    },
    stop: async () => {
      await gone(child)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A Postgres with an empty database; it refuses to be root, so it is somebody else then. */
export async function startPostgres(): Promise<StoreServer> {
  const programs = postgresFolder() ?? ''
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'pulsegate-postgres-'))
  const user = process.getuid?.() === 0 ? unprivileged() : undefined
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  chmodSync(folder, 0o700)
  const data = join(folder, 'data')
  const made = spawnSync(
    join(programs, 'initdb'),
    ['-D', data, '-U', 'test', '--auth=trust', '-E', 'UTF8', '--no-sync'],
    {
      ...user,
      encoding: 'utf8',
    },
  )
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`)
  const launch = (): ChildProcess =>
    spawn(
      join(programs, 'postgres'),
      [
        '-D',
        data,
        '-p',
        `${port}`,
        '-k',
        folder,
        '-h',
        '127.0.0.1',
        '-c',
        'fsync=off',
        '-c',
        'max_connections=50',
      ],
      { ...user, stdio: 'ignore', detached: true },
    )
  let child = launch()
  const url = `postgres://test@127.0.0.1:${port}/postgres`
  await until(() => queries(url))
  const end = async (): Promise<void> => {
    group(child, 'SIGCONT')
    const ended = new Promise((resolve) => child.once('exit', resolve))
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGQUIT')
      await ended
    }
  }
  return {
    port,
    url,
    // Its processes share no group with ours, so that all of them can be stopped.
    signal: (name) => group(child, name),
    empty: async () => {
      assert.equal(await queries(url, 'truncate pulsegate_shared_health'), true)
    },
    restart: async () => {
      await end()
      child = launch()
      await until(() => queries(url))
    },
    stop: async () => {
      await end()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Postgres makes each child a group of its own: the children are signalled one by one. */
function group(child: ChildProcess, name: NodeJS.Signals): void {
  const pid = child.pid ?? 0
  const children = spawnSync('ps', ['-o', 'pid=', '--ppid', `${pid}`], { encoding: 'utf8' }).stdout
  const pids = [pid, ...children.split('\n').map(Number)].filter((each) => each > 1)
  for (const each of pids) {
    try {
      process.kill(each, name)
    } catch {
      // It has ended meanwhile.
    }
  }
}

async function gone(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
}

async function answers(port: number): Promise<boolean> {
  return (await reply(port, 'PING')) === '+PONG'
}

/** The first line that Redis answers; empty where nobody does. */
function reply(port: number, command: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`))
    socket.once('data', (data) => {
      socket.destroy()
      resolve(String(data).trim())
    })
    socket.once('error', () => resolve(''))
  })
}

async function queries(url: string, statement = 'select 1'): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 1_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query(statement)
    return true
  } catch {
    // It is not ready yet.
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

async function until(isDone: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + READY_MS
  while (!(await isDone())) {
    if (performance.now() > deadline) throw new Error(`the store was not ready within ${READY_MS} ms`)
    await later(50)
  }
}

function postgresFolder(): string | undefined {
  const below = '/usr/lib/postgresql'
  const folders = existsSync(below) ? readdirSync(below).map((version) => join(below, version, 'bin')) : []
  const postgres = pathOf('postgres', folders)
  const initdb = pathOf('initdb', folders)
  return postgres === undefined || initdb === undefined ? undefined : join(postgres, '..')
}

function pathOf(program: string, more: readonly string[]): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/bin', ...more]
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path))
}

function unprivileged(): { readonly uid: number; readonly gid: number } {
  const number = (flag: string): number =>
    Number(spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' }).stdout.trim())
  return { uid: number('-u'), gid: number('-g') }
}
