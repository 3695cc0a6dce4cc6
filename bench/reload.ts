/**
 * What a change of a large config costs while requests run: 10,000 deployments, of which 10 get another key at a time,
 * under 200 requests a second. Run with `node bench/reload.ts`; the first argument may name a bundle that is built already.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startFakeProvider } from '../src/fake-provider/server.ts'
import { memoryOf, startBundle, type StartedBundle } from './cold-start.ts'
import { groupOf, largeConfig } from './large-config.ts'
import { KEY } from './messages.ts'

const DEPLOYMENTS = 10_000
const CHANGED = 10
const RELOADS = 5
const EVERY_MS = 5
const RELOAD_WITHIN_MS = 30_000

/** A measured number and what it should not exceed. */
interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly most: number
}

/** What requests came to so far. */
interface Traffic {
  sent: number
  failed: number
  slowestMs: number
  stop(): Promise<void>
}

/** Asks 200 times a second, whether the answers come or not: what waits shows. */
function startTraffic(port: number): Traffic {
  const agent = new Agent({ keepAlive: true })
  const running = new Set<Promise<void>>()
  const traffic: Traffic = { sent: 0, failed: 0, slowestMs: 0, stop: async () => {} }
  const ask = async (): Promise<void> => {
    const from = performance.now()
    const isOk = await askedWell(port, agent, groupOf(traffic.sent))
    if (!isOk) traffic.failed += 1
    traffic.slowestMs = Math.max(traffic.slowestMs, performance.now() - from)
  }
  const timer = setInterval(() => {
    traffic.sent += 1
    const asking = ask().finally(() => running.delete(asking))
    running.add(asking)
  }, EVERY_MS)
  traffic.stop = async () => {
    clearInterval(timer)
    await Promise.allSettled(running)
    agent.destroy()
  }
  return traffic
}

function askedWell(port: number, agent: Agent, model: string): Promise<boolean> {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'ping' }] })
  return new Promise((done) => {
    const headers = {
      authorization: `Bearer ${KEY}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    }
    const asking = request(
      { port, host: '127.0.0.1', agent, method: 'POST', path: '/v1/chat/completions', headers },
      (response) => {
        response.resume()
        response.once('end', () => done(response.statusCode === 200))
        response.once('error', () => done(false))
      },
    )
    asking.once('error', () => done(false))
    asking.end(body)
  })
}

/** The time of the newest reload as the program's log says it; rejects where it says nothing. */
async function reloaded(started: StartedBundle, times: number): Promise<number> {
  const deadline = performance.now() + RELOAD_WITHIN_MS
  for (;;) {
    const found = [...started.stderr().matchAll(/"ms":(\d+),"added":\d+,"removed":\d+,"changed":(\d+)/g)]
    const last = found[times - 1]
    if (last !== undefined) {
      if (Number(last[2]) !== CHANGED) throw new Error(`${last[2]} changed: ${started.stderr().slice(-500)}`)
      return Number(last[1])
    }
    if (performance.now() > deadline) throw new Error(`no reload: ${started.stderr().slice(-2000)}`)
    await sleep(50)
  }
}

/** The upper bounds of the buckets of the event loop's lag, and how often it was within each so far. */
async function lagBuckets(url: string): Promise<readonly (readonly [boundMs: number, count: number])[]> {
  const page = await (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${KEY}` } })).text()
  const rows = page.matchAll(/^pulsegate_event_loop_lag_seconds_bucket\{le="([^"]+)"\} (\d+)$/gm)
  return Array.from(rows, ([, bound = '', count = '']) => [
    bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound) * 1000,
    Number(count),
  ])
}

/** How often the loop lagged by more than so much between two readings. */
function lagsBeyond(
  mostMs: number,
  before: Awaited<ReturnType<typeof lagBuckets>>,
  after: Awaited<ReturnType<typeof lagBuckets>>,
): number {
  const beyond = (buckets: typeof before): number => {
    const all = buckets.at(-1)?.[1] ?? 0
    return all - (buckets.find(([bound]) => bound === mostMs)?.[1] ?? 0)
  }
  return beyond(after) - beyond(before)
}

/** The slowest of liveliness answers, asked one after the other for as long as `until` says. */
async function slowestLiveliness(url: string, isOver: () => boolean): Promise<number> {
  let slowest = 0
  while (!isOver()) {
    const from = performance.now()
    await (await fetch(`${url}/health/liveliness`)).text()
    slowest = Math.max(slowest, performance.now() - from)
    await sleep(2)
  }
  return slowest
}

async function measure(bundle: string, folder: string, fakeUrl: string): Promise<readonly Figure[]> {
  const config = join(folder, 'large.yaml')
  const { text } = largeConfig(DEPLOYMENTS, `${fakeUrl}/v1`, 0)
  writeFileSync(config, text)
  const started = await startBundle(bundle, config)
  try {
    const before = memoryOf(started.pid).now
    const traffic = startTraffic(started.port)
    await sleep(3000)
    const usual = traffic.slowestMs
    traffic.slowestMs = 0
    const lagged = await lagBuckets(started.url)
    const state = { isOver: false }
    const liveliness = slowestLiveliness(started.url, () => state.isOver)
    // It is heard of below, too late for one that nobody has caught yet.
    liveliness.catch(() => undefined)
    const took: number[] = []
    for (let at = 1; at <= RELOADS; at += 1) {
      writeFileSync(`${config}.new`, withOtherKeys(text, at))
      renameSync(`${config}.new`, config)
      took.push(await reloaded(started, at))
      await sleep(500)
    }
    state.isOver = true
    const slowestLive = await liveliness
    const lags = lagsBeyond(50, lagged, await lagBuckets(started.url))
    await traffic.stop()
    const { now } = memoryOf(started.pid)
    const name = `${DEPLOYMENTS} deployments, ${CHANGED} changed`
    console.log(
      `      ${traffic.sent} requests; slowest before ${usual.toFixed(0)} ms, during reloads ${traffic.slowestMs.toFixed(0)} ms; reloads ${took.join(', ')} ms; ${before} MB before, ${now} MB after`,
    )
    return [
      {
        name: `${name}: a reload, the slowest of ${RELOADS}`,
        value: Math.max(...took),
        unit: 'ms',
        most: 1500,
      },
      { name: `${name}: times that the loop lagged by more than 50 ms`, value: lags, unit: '', most: 0 },
      { name: `${name}: slowest liveliness meanwhile`, value: slowestLive, unit: 'ms', most: 50 },
      { name: `${name}: requests that failed`, value: traffic.failed, unit: '', most: 0 },
    ]
  } catch (error) {
    console.error(started.stderr().slice(-2000))
    throw error
  } finally {
    await started.stop()
  }
}

/** The first ten deployments with keys that no config had before. */
function withOtherKeys(text: string, round: number): string {
  return text.replaceAll(/sk-proj-0000000(\d)-\w+/g, `sk-proj-0000000$1-round${round}-rotated`)
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pulsegate-reload-'))
  const fake = spawn(process.execPath, [import.meta.filename, 'fake'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const bundle = resolve(process.argv[2] ?? join(folder, 'bundle/pulsegate.js'))
    if (process.argv[2] === undefined)
      execFileSync(process.execPath, [resolve(import.meta.dirname, '../scripts/build.ts'), bundle], {
        stdio: 'inherit',
      })
    const url = await new Promise<string>((done) =>
      fake.stdout.once('data', (chunk: Buffer) => done(chunk.toString().trim())),
    )
    console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}`)
    const figures = await measure(bundle, folder, url)
    for (const { name, value, unit, most } of figures)
      console.log(
        `${value <= most ? 'ok  ' : 'MISS'}  ${name}: ${`${value.toFixed(0)} ${unit}`.trim()} (at most ${most})`,
      )
    process.exitCode = figures.every(({ value, most }) => value <= most) ? 0 : 1
  } finally {
    fake.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

if (process.argv[2] === 'fake') {
  const { url } = await startFakeProvider({ journalLimit: 100 })
  console.log(url)
} else await main()
