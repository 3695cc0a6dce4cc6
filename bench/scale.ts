/**
 * How the bundle stands up to large configs: start and memory with 10,000 deployments, and a live GET /health over
 * 1,000 of them. Run with `node bench/scale.ts`; the first argument may name a bundle that is built already.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startFakeProvider } from '../src/fake-provider/server.ts'

const MASTER_KEY = 'sk-bench-1234'
const DEPLOYMENTS = 10_000
const PROBED = 1_000
const UNKNOWN_KEYS = 10
/** Every figure is the middle one of this many runs, each with a new process. */
const RUNS = 3
const START_LIMIT_MS = 30_000

/** A measured number and what it should not exceed. */
interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly most: number
}

/** A config with its misspelt keys: where they stand, as the program should print them. */
interface Written {
  readonly text: string
  readonly places: readonly string[]
}

/** Entries of about 300 bytes, as people write them; `odd` of them have a key that is misspelt. */
function configOf(count: number, base: string, odd: number): Written {
  const lines = ['model_list:']
  const places: string[] = []
  for (let at = 0; at < count; at += 1) {
    lines.push(
      `  - model_name: team-${at % 400}-gpt-4o`,
      '    litellm_params:',
      `      model: openai/gpt-4o-${at}`,
      `      api_base: ${base}`,
      `      api_key: sk-proj-${String(at).padStart(8, '0')}-abcdefghijklmnop`,
      `      rpm: ${600 + (at % 50)}`,
      '      timeout: 30',
    )
    if (at % Math.ceil(count / odd) === 7) {
      const key = ['api_bse', 'api_kye', 'timeuot', 'api_versoin', 'organisation'][places.length % 5] ?? ''
      lines.push(`      ${key}: x`)
      places.push(`:${lines.length}:7 model_list.${at}.litellm_params.${key}`)
    }
    lines.push('    model_info:', `      id: deployment-${at}`, '      mode: chat', '      tier: paid')
  }
  lines.push('general_settings:', `  master_key: ${MASTER_KEY}`, '  drain_delay: 0', '')
  return { text: lines.join('\n'), places }
}

interface Started {
  readonly process: ChildProcess
  readonly url: string
  /** From the spawn to the first answer of the listener. */
  readonly listeningMs: number
  stderr(): string
}

/** Starts the bundle as a user does, and waits until it answers. */
async function start(bundle: string, config: string): Promise<Started> {
  const from = performance.now()
  const child = spawn(process.execPath, [bundle, config, '--host', '127.0.0.1', '--port', '0'], {
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stderr = ''
  let stdout = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const url = await new Promise<string>((done, fail) => {
    const timer = setTimeout(
      () => fail(new Error(`not listening after ${START_LIMIT_MS} ms: ${stderr}`)),
      START_LIMIT_MS,
    )
    child.once('exit', (code) => fail(new Error(`ended with ${code}: ${stderr.slice(0, 2000)}`)))
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
      const found = /listening on (http:\/\/\S+): /.exec(stdout)?.[1]
      if (found === undefined) return
      clearTimeout(timer)
      done(found)
    })
  })
  const alive = await fetch(`${url}/health/liveliness`)
  await alive.text()
  return { process: child, url, listeningMs: performance.now() - from, stderr: () => stderr }
}

async function stop({ process: child }: Started): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}

/** Resident memory in MB: now, and at its highest. Linux only. */
function memoryOf(pid: number | undefined): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kB = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1])
  return { now: kB('VmRSS') / 1024, peak: kB('VmHWM') / 1024 }
}

async function measureStart(bundle: string, folder: string): Promise<readonly Figure[]> {
  const config = join(folder, 'large.yaml')
  const { text, places } = configOf(DEPLOYMENTS, 'https://openai-proxy.example.com/v1', UNKNOWN_KEYS)
  writeFileSync(config, text)
  const started = await start(bundle, config)
  const { now, peak } = memoryOf(started.process.pid)
  const named = places.filter((place) => started.stderr().includes(`${config}${place}: `)).length
  await stop(started)
  const name = `${DEPLOYMENTS} deployments (${(text.length / 1e6).toFixed(1)} MB)`
  return [
    { name: `${name}: start to first answer`, value: started.listeningMs, unit: 'ms', most: 2000 },
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

async function measureHealth(bundle: string, folder: string): Promise<readonly Figure[]> {
  const fake = spawn(process.execPath, [import.meta.filename, 'fake'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const base = await new Promise<string>((done) =>
    fake.stdout.once('data', (chunk: Buffer) => done(chunk.toString().trim())),
  )
  const config = join(folder, 'probed.yaml')
  writeFileSync(config, configOf(PROBED, `${base}/v1`, 1).text)
  const started = await start(bundle, config)
  const figures: Figure[] = []
  try {
    for (const round of ['first', 'second']) {
      await sleep(1200) // A verdict younger than a second is used again.
      const from = performance.now()
      const asking = fetch(`${started.url}/health`, { headers: { authorization: `Bearer ${MASTER_KEY}` } })
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
    const { now } = memoryOf(started.process.pid)
    figures.push({ name: 'memory after both', value: now, unit: 'MB', most: 200 })
  } finally {
    await stop(started)
    fake.kill()
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
    for (let run = 0; run < RUNS; run += 1)
      runs.push([...(await measureStart(bundle, folder)), ...(await measureHealth(bundle, folder))])
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
