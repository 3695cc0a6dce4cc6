/**
 * What followers of `GET /health/events` cost the bundle: 1,000 of them while 100 transitions a second happen, and twenty
 * more that never read. Run with `npm run bench:events`; the first argument may name a bundle that is built already.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { memoryOf, startBundle, type StartedBundle } from './cold-start.ts'
import { largeConfig } from './large-config.ts'
import { KEY } from './messages.ts'

const DEPLOYMENTS = 100
const READERS = 1_000
const SLOW = 20
const PER_SECOND = 100
const SECONDS = 20
/** The kernel takes megabytes in before a writer notices that nobody reads. */
const SLOW_LIMIT_MS = 120_000
const AUTH = { authorization: `Bearer ${KEY}` }
/** Of Linux (`getconf CLK_TCK`); the same everywhere. */
const TICKS_PER_SECOND = 100

/** Follows from a process of its own, so that its work is not the gateway's. */
interface Followers {
  /** How many transitions each has seen: the fewest, the most, and how many connections have ended. */
  seen(): Promise<{ readonly least: number; readonly most: number; readonly ended: number }>
  stop(): void
}

async function startFollowers(url: string, count: number, mode: 'read' | 'slow'): Promise<Followers> {
  const child = spawn(process.execPath, [import.meta.filename, mode, url, String(count)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const waiting: ((line: string) => void)[] = []
  let text = ''
  child.stdout.on('data', (part: Buffer) => {
    text += part.toString()
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n')) {
      waiting.shift()?.(text.slice(0, end))
      text = text.slice(end + 1)
    }
  })
  const line = (): Promise<string> => new Promise((done) => waiting.push(done))
  await line()
  return {
    seen: async () => {
      child.stdin.write('?\n')
      const [least = 0, most = 0, ended = 0] = (await line()).split(' ').map(Number)
      return { least, most, ended }
    },
    stop: () => void child.kill(),
  }
}

/** The other process: says `ready` when all are connected, then answers each line with its counts. */
async function follow(mode: string, url: string, count: number): Promise<void> {
  const counts = Array.from({ length: count }, () => 0)
  let ended = 0
  const open = (at: number): Promise<void> =>
    new Promise((done, fail) => {
      const opened = (answer: IncomingMessage): void => {
        if (answer.statusCode !== 200) return fail(new Error(`status ${answer.statusCode}`))
        answer.on('close', () => (ended += 1)).on('error', () => undefined)
        if (mode === 'read')
          answer.setEncoding('latin1').on('data', (part: string) => {
            counts[at] = (counts[at] ?? 0) + part.split('event: transition').length - 1
          })
        else answer.pause()
        done()
      }
      get(`${url}/health/events`, { headers: AUTH, agent: false }, opened).on('error', fail)
    })
  for (let at = 0; at < count; at += 50)
    await Promise.all(Array.from({ length: Math.min(50, count - at) }, (_, each) => open(at + each)))
  process.stdin.on('data', () => {
    console.log(`${Math.min(...counts)} ${Math.max(...counts)} ${ended}`)
  })
  console.log('ready')
}

/** Seconds of processor time that a process has had. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** Takes deployments out and puts them back: one transition a call. */
async function turn({ url }: StartedBundle, at: number): Promise<void> {
  const action = Math.floor(at / DEPLOYMENTS) % 2 === 0 ? 'isolate' : 'restore'
  const target = `${url}/health/deployments/deployment-${at % DEPLOYMENTS}/${action}`
  const { status } = await fetch(target, { method: 'POST', headers: AUTH })
  if (status !== 200) throw new Error(`${action}: ${status}`)
}

async function turnSteadily(started: StartedBundle, from: number): Promise<number> {
  const begun = performance.now()
  const turns: Promise<void>[] = []
  for (let at = 0; at < PER_SECOND * SECONDS; at += 1) {
    await sleep(Math.max(0, begun + (at * 1000) / PER_SECOND - performance.now()))
    turns.push(turn(started, from + at))
  }
  await Promise.all(turns)
  return from + turns.length
}

async function measure(bundle: string, folder: string): Promise<readonly string[]> {
  const config = join(folder, 'events.yaml')
  writeFileSync(config, largeConfig(DEPLOYMENTS, 'http://127.0.0.1:9/v1', 0).text)
  const started = await startBundle(bundle, config)
  const lines: string[] = []
  const say = (name: string, value: number, unit: string, most: number): void => {
    lines.push(`${value <= most ? 'ok  ' : 'MISS'}  ${name}: ${value.toFixed(2)} ${unit} (at most ${most})`)
  }
  try {
    // The same transitions with nobody there: what they cost by themselves.
    let turned = await turnSteadily(started, 0)
    const alone = memoryOf(started.pid).now
    const aloneFrom = cpuOf(started.pid)
    turned = await turnSteadily(started, turned)
    const aloneCpu = (cpuOf(started.pid) - aloneFrom) / SECONDS
    const readers = await startFollowers(started.url, READERS, 'read')
    const slow = await startFollowers(started.url, SLOW, 'slow')
    const from = cpuOf(started.pid)
    const before = turned
    turned = await turnSteadily(started, turned)
    const cpu = (cpuOf(started.pid) - from) / SECONDS
    const { now } = memoryOf(started.pid)
    await sleep(500)
    const { least, most } = await readers.seen()
    say(`${READERS} readers, ${PER_SECOND} transitions/s: cores`, cpu, '', 1)
    lines.push(`      of which without readers: ${aloneCpu.toFixed(2)}`)
    say('memory beyond that without readers', now - alone, 'MB', 100)
    say('transitions that a reader missed', turned - before - least + (most - least), '', 0)
    const end = performance.now() + SLOW_LIMIT_MS
    let gone = 0
    while (gone < SLOW && performance.now() < end) {
      await Promise.all(Array.from({ length: 50 }, (_, each) => turn(started, turned + each)))
      turned += 50
      gone = started.stderr().split('event_reader_dropped').length - 1
    }
    say(`of ${SLOW} readers that never read, not dropped`, SLOW - gone, '', 0)
    await sleep(500)
    say('readers that read, dropped', (await readers.seen()).ended, '', 0)
    say('memory at the highest beyond that without readers', memoryOf(started.pid).peak - alone, 'MB', 100)
    readers.stop()
    slow.stop()
  } finally {
    await started.stop()
  }
  return lines
}

const [first, url = '', count = ''] = process.argv.slice(2)
if (first === 'read' || first === 'slow') await follow(first, url, Number(count))
else {
  const folder = mkdtempSync(join(tmpdir(), 'pulsegate-events-'))
  try {
    const bundle = first === undefined ? join(folder, 'pulsegate.js') : resolve(first)
    if (first === undefined)
      execFileSync(process.execPath, [resolve(import.meta.dirname, '../scripts/build.ts'), bundle], {
        stdio: 'ignore',
      })
    console.log(`${cpus().length} × ${cpus()[0]?.model ?? '?'}, Node ${process.version}`)
    const lines = await measure(bundle, folder)
    for (const line of lines) console.log(line)
    process.exitCode = lines.some((line) => line.startsWith('MISS')) ? 1 : 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
