/**
 * How the bundle stands up to large configs: start and memory with 10,000 deployments, a live GET /health over 1,000
 * of them, and one from memory over 10,000 while they are being checked. Run with `node bench/scale.ts`; the first
 * argument may name a bundle that is built already, the second what alone is to be measured: start, live or fleet.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startFakeProvider } from '../src/fake-provider/server.ts'
import { memoryOf, startBundle } from './cold-start.ts'
import { largeConfig } from './large-config.ts'
import { KEY } from './messages.ts'

const DEPLOYMENTS = 10_000
const PROBED = 1_000
const UNKNOWN_KEYS = 10
/** Every figure is the middle one of this many runs, each with a new process. */
const RUNS = 3

/** A measured number and what it should not exceed. */
interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly most: number
}

async function measureStart(bundle: string, folder: string): Promise<readonly Figure[]> {
  const config = join(folder, 'large.yaml')
  const { text, places } = largeConfig(DEPLOYMENTS, 'https://openai-proxy.example.com/v1', UNKNOWN_KEYS)
  writeFileSync(config, text)
  const started = await startBundle(bundle, config)
  const { now, peak } = memoryOf(started.pid)
  const named = places.filter((place) => started.stderr().includes(`${config}${place}: `)).length
  await started.stop()
  const name = `${DEPLOYMENTS} deployments (${(text.length / 1e6).toFixed(1)} MB)`
  return [
    { name: `${name}: start to first answer`, value: started.firstAnswerMs, unit: 'ms', most: 2000 },
    { name: `${name}: memory then`, value: now, unit: 'MB', most: 200 },
    { name: `${name}: memory at its highest`, value: peak, unit: 'MB', most: 200 },
    { name: `${name}: misspelt keys not named`, value: places.length - named, unit: '', most: 0 },
  ]
}

/** The slowest of the liveliness answers while `until` runs, milliseconds. */
async function slowestLiveliness(url: string, until: Promise<unknown>): Promise<number> {
  const state = { isOver: false }
  const over = until.finally(() => {
    state.isOver = true
  })
  let slowest = 0
  while (!state.isOver) {
    const from = performance.now()
    await (await fetch(`${url}/health/liveliness`)).text()
    slowest = Math.max(slowest, performance.now() - from)
    await sleep(5)
  }
  await over
  return slowest
}

/** A fake provider in a process of its own, and the address that it can be asked at. */
async function startFake(): Promise<{ readonly url: string; stop(): void }> {
  const fake = spawn(process.execPath, [import.meta.filename, 'fake'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await new Promise<string>((done) =>
    fake.stdout.once('data', (chunk: Buffer) => done(chunk.toString().trim())),
  )
  return { url, stop: () => void fake.kill() }
}

/** So many answers of the whole report, while the engine goes on checking and changes it under way. */
const READS = 40

async function measureFleet(bundle: string, folder: string): Promise<readonly Figure[]> {
  const fake = await startFake()
  const config = join(folder, 'fleet.yaml')
  const { text } = largeConfig(DEPLOYMENTS, `${fake.url}/v1`, 1)
  writeFileSync(config, `${text}  background_health_checks: true\n`)
  const started = await startBundle(bundle, config)
  try {
    const headers = { authorization: `Bearer ${KEY}` }
    const read = async (): Promise<string> => (await fetch(`${started.url}/health`, { headers })).text()
    const deadline = performance.now() + 120_000
    while ((await read()).includes('unknown_count') && performance.now() < deadline) await sleep(2000)
    const took: number[] = []
    const reading = (async () => {
      for (let at = 0; at < READS; at += 1) {
        await sleep(1100) // A text younger than a second is used again.
        const from = performance.now()
        await read()
        took.push(performance.now() - from)
      }
    })()
    const slowest = await slowestLiveliness(started.url, reading)
    const { now } = memoryOf(started.pid)
    const name = `GET /health from memory over ${DEPLOYMENTS} deployments`
    return [
      { name: `${name}, p99`, value: Math.max(...took), unit: 'ms', most: 100 },
      { name: `${name}: slowest liveliness meanwhile`, value: slowest, unit: 'ms', most: 50 },
      { name: `${name}: memory then`, value: now, unit: 'MB', most: 200 },
    ]
  } finally {
    await started.stop()
    fake.stop()
  }
}

async function measureHealth(bundle: string, folder: string): Promise<readonly Figure[]> {
  const fake = await startFake()
  const config = join(folder, 'probed.yaml')
  writeFileSync(config, largeConfig(PROBED, `${fake.url}/v1`, 1).text)
  const started = await startBundle(bundle, config)
  const figures: Figure[] = []
  try {
    for (const round of ['first', 'second']) {
      await sleep(1200) // A verdict younger than a second is used again.
      const from = performance.now()
      const asking = fetch(`${started.url}/health`, { headers: { authorization: `Bearer ${KEY}` } })
      const answered = asking
        .then((response) => response.text())
        .then((body) => ({ body, ms: performance.now() - from }))
      const slowest = await slowestLiveliness(started.url, answered)
      const { body, ms } = await answered
      const healthy = Number(/"healthy_count":(\d+)/.exec(body)?.[1])
      const name = `live GET /health over ${PROBED} deployments, ${round}`
      figures.push(
        { name, value: ms, unit: 'ms', most: 2000 },
        { name: `${name}: slowest liveliness meanwhile`, value: slowest, unit: 'ms', most: 50 },
        { name: `${name}: not healthy`, value: PROBED - healthy, unit: '', most: 0 },
      )
    }
    const { now } = memoryOf(started.pid)
    figures.push({ name: 'memory after both', value: now, unit: 'MB', most: 200 })
  } finally {
    await started.stop()
    fake.stop()
  }
  return figures
}

/** Each figure as the middle one of all runs. */
function middleOf(runs: readonly (readonly Figure[])[]): readonly Figure[] {
  return (runs[0] ?? []).map(({ name, unit, most }, at) => {
    const values = runs.map((run) => run[at]?.value ?? Number.NaN).toSorted((a, b) => a - b)
    return { name, unit, most, value: values[Math.floor(values.length / 2)] ?? Number.NaN }
  })
}

function print({ name, value, unit, most }: Figure): void {
  const shown = Number.isInteger(value) ? String(value) : value.toFixed(0)
  console.log(`${value <= most ? 'ok  ' : 'MISS'}  ${name}: ${`${shown} ${unit}`.trim()} (at most ${most})`)
}

const MEASURES = { start: measureStart, live: measureHealth, fleet: measureFleet }

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pulsegate-scale-'))
  try {
    const bundle = resolve(process.argv[2] ?? join(folder, 'pulsegate.js'))
    if (process.argv[2] === undefined)
      execFileSync(process.execPath, [resolve(import.meta.dirname, '../scripts/build.ts'), bundle], {
        stdio: 'inherit',
      })
    console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}`)
    const runs: (readonly Figure[])[] = []
    for (let run = 0; run < RUNS; run += 1) {
      const figures: Figure[] = []
      for (const [name, measure] of Object.entries(MEASURES))
        if (name === (process.argv[3] ?? name)) figures.push(...(await measure(bundle, folder)))
      runs.push(figures)
    }
    const figures = middleOf(runs)
    figures.forEach(print)
    process.exitCode = figures.every(({ value, most }) => value <= most) ? 0 : 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

if (process.argv[2] === 'fake') {
  const { url } = await startFakeProvider({ journalLimit: 100 })
  console.log(url)
} else await main()
