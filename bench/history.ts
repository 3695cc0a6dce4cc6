/**
 * What a past of 30 days costs: 500 deployments, each checked every 60 s, one check of a hundred failing, through the
 * same rows and the same SQLite store as a gateway's. And what writing does to requests of the same process: windows
 * with and without it, in turn. Run with `npm run bench:history`, or with another number of days; the exit code is 1 where a figure is missed.
 */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { systemClock } from '../src/core/clock.ts'
import type { HistoryStore, KeptDeployment } from '../src/core/history.ts'
import { silentLog } from '../src/core/log.ts'
import { createPending } from '../src/health/history/pending.ts'
import type { Pending } from '../src/health/history/pending.ts'
import { createSqliteStore } from '../src/store/sqlite.ts'
import { spreadOf, table } from './figures.ts'

const MINUTE = 60_000
const FIVE = 5 * MINUTE
const DAY = 86_400_000
const DAYS = Number(process.argv[2] ?? 30)
const DEPLOYMENTS = 500
const FAIL_EVERY = 100
const PRUNE_EVERY = 2 * 3_600_000
const QUERIES = 200
const ROUNDS = 9
const WINDOW_MS = 2000
const WRITES_PER_SECOND = 1
const MB = 1024 * 1024
const ERROR =
  'deployment "gpt-4o" (23acfd4e0c1b): POST https://api.example.com/v1/chat/completions answered 500 (server_error): The server had an error while processing your request. What to do: wait; it is the provider.'

interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly most: number
}

const deployments = Array.from({ length: DEPLOYMENTS }, (_, index): KeptDeployment => ({
  identity: `${String(index).padStart(32, '0')}-abcd`,
  id: String(index).padStart(64, '0'),
  group: `group-${index % 50}`,
  model: 'openai/gpt-4o',
}))

if (isMainThread) await main()
else askWithoutEnd(String(workerData))

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pulsegate-history-'))
  const store = createSqliteStore({ path: join(folder, 'pulsegate.db'), clock: systemClock, log: silentLog })
  try {
    const before = process.memoryUsage().rss
    await store.open()
    const now = await livedThrough(store)
    const figures = [
      {
        name: 'RSS after 30 days',
        value: (process.memoryUsage().rss - before) / MB,
        unit: 'MB more',
        most: 64,
      },
      { name: 'disk', value: (await sizeOf(folder)) / MB, unit: 'MB', most: 50 },
      ...(await queried(store, now)),
      {
        name: 'request p99, writing against not',
        value: await requestShare(store),
        unit: 'ratio',
        most: 1.05,
      },
    ]
    const rows = figures.map(({ name, value, unit, most }) => [
      name,
      value.toFixed(2),
      unit,
      `≤ ${most}`,
      value <= most ? 'ok' : 'MISSED',
    ])
    console.log(table([['FIGURE', 'MEASURED', '', 'MUST', ''], ...rows]))
    if (figures.some(({ value, most }) => value > most)) process.exitCode = 1
  } finally {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** All checks of 30 days, up to now; gives the end. */
async function livedThrough(store: HistoryStore): Promise<number> {
  const end = Date.now()
  const pending = createPending()
  const startedAt = performance.now()
  let number = 0
  let checks = 0
  for (let at = end - DAYS * DAY; at < end; at += MINUTE) {
    for (const deployment of deployments) check(pending, deployment, at, (checks += 1))
    if (at % FIVE >= MINUTE) continue
    await write(store, pending, (number += 1))
    if (at % PRUNE_EVERY < FIVE) await store.prune(at)
  }
  await write(store, pending, number + 1)
  await store.prune(end)
  const seconds = (performance.now() - startedAt) / 1000
  console.log(`${checks} checks of ${DAYS} days written in ${seconds.toFixed(0)} s`)
  return end
}

function check(pending: Pending, deployment: KeptDeployment, at: number, count: number): void {
  const isOk = count % FAIL_EVERY !== 0
  pending.fold(deployment, {
    at: at - (at % FIVE),
    ok: isOk ? 1 : 0,
    failed: isOk ? 0 : 1,
    tookMs: isOk ? 250 : 0,
    lastAt: isOk ? at : 0,
    upMs: MINUTE,
    downMs: 0,
  })
  if (isOk) return
  const { identity } = deployment
  pending.failed(deployment, { identity, at, reason: 'server_error', status: 500, error: ERROR, tookMs: 250 })
}

async function write(store: HistoryStore, pending: Pending, number: number): Promise<void> {
  const rows = pending.take()
  if (rows !== undefined) await store.write({ ...rows, writer: 'bench', number })
}

/** What `GET /health/history` asks of the store, of one group and of all in turn. */
async function queried(store: HistoryStore, now: number): Promise<readonly Figure[]> {
  const tookMs: number[] = []
  for (let query = 0; query < QUERIES; query += 1) {
    const name = query % 2 === 0 ? { name: `group-${query % 50}` } : {}
    const startedAt = performance.now()
    await Promise.all([
      store.checks({ ...name, limit: 100, offset: 0 }),
      store.incidents({ ...name, now, most: 100 }),
      store.uptime({ ...name, now }),
    ])
    tookMs.push(performance.now() - startedAt)
  }
  return [{ name: 'history query p99', value: p99(tookMs), unit: 'ms', most: 50 }]
}

/** The median over rounds of p99 with writing to p99 without, of a server in this process. */
async function requestShare(store: HistoryStore): Promise<number> {
  const server = createServer((_, response) => response.end('{"object":"chat.completion"}'))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  const client = new Worker(new URL(import.meta.url), { workerData: url })
  let window: number[] = []
  client.on('message', (tookMs: number) => void window.push(tookMs))
  const measure = async (isWriting: boolean): Promise<number> => {
    window = []
    const stop = isWriting ? writing(store) : () => Promise.resolve()
    await new Promise((resolve) => setTimeout(resolve, WINDOW_MS))
    await stop()
    return p99(window)
  }
  const shares: number[] = []
  await measure(false)
  for (let round = 0; round < ROUNDS; round += 1) {
    const [first, second] = [await measure(round % 2 === 0), await measure(round % 2 !== 0)]
    shares.push(round % 2 === 0 ? first / second : second / first)
  }
  await client.terminate()
  server.close()
  server.closeAllConnections()
  return spreadOf(shares).median
}

/** A second's rows of 500 deployments that are checked every 60 s, each second; gives what ends it. */
function writing(store: HistoryStore): () => Promise<void> {
  const pending = createPending()
  let last: Promise<void> = Promise.resolve()
  let checks = 0
  const timer = setInterval(() => {
    for (let each = 0; each < DEPLOYMENTS / 60; each += 1) {
      const deployment = deployments[(checks += 1) % DEPLOYMENTS]
      if (deployment !== undefined) check(pending, deployment, Date.now(), checks)
    }
    // Later than every number before, and never the same twice.
    last = write(store, pending, Date.now())
  }, 1000 / WRITES_PER_SECOND)
  return async () => {
    clearInterval(timer)
    await last
  }
}

function askWithoutEnd(url: string): void {
  const ask = async (): Promise<void> => {
    for (;;) {
      const startedAt = performance.now()
      const response = await fetch(url)
      await response.text()
      parentPort?.postMessage(performance.now() - startedAt)
    }
  }
  void ask()
}

function p99(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN
}

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0
  for (const name of await readdir(folder)) bytes += (await stat(join(folder, name))).size
  return bytes
}
