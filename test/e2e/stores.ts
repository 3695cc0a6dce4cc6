import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as later } from 'node:timers/promises'
import { Client } from 'pg'
import { startPostgres as startServer } from './postgres.ts'
import { freePort } from './program.ts'

/** A real store as a process of its own. */
export interface StoreServer {
  readonly url: string
  /** To the server and all that it started. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): Promise<void>
  /** Forgets all that was shared, as FLUSHALL does. */
  empty(): Promise<void>
  /** Starts it again at the same port, empty or not as its kind is. */
  restart(): Promise<void>
  stop(): Promise<void>
}

const READY_MS = 20_000

/** Why there is no Redis for tests; false: there is one. */
export const noRedis: string | false =
  pathOf('redis-server') === undefined && 'redis-server is not installed here'

/** A Redis that keeps nothing on disk. */
export async function startRedis(): Promise<StoreServer> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'pulsegate-redis-'))
  const launch = (): ChildProcess =>
    spawn(
      pathOf('redis-server') ?? 'redis-server',
      ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder],
      { stdio: 'ignore' },
    )
  let child = launch()
  await until(() => answers(port))
  return {
    url: `redis://127.0.0.1:${port}`,
    signal: async (name) => void child.kill(name),
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

/** A PostgreSQL with an empty database. */
export async function startPostgres(): Promise<StoreServer> {
  const server = await startServer()
  const { url } = server
  await until(() => queries(url))
  return {
    url,
    signal: (name) => server.signal(name),
    empty: async () => {
      assert.equal(await queries(url, 'truncate pulsegate_shared_health'), true)
    },
    restart: async () => {
      await server.kill()
      await server.start()
      await until(() => queries(url))
    },
    stop: () => server.stop(),
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

function pathOf(program: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/bin']
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path))
}
