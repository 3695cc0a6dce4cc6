import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { listeningPort, startBareNode, startNginx, startPulsegate, type Contestant } from './contestants.ts'
import type { Window } from './figures.ts'
import { isSeen, type Order, type Seen } from './order.ts'
import {
  canPin,
  CONTESTANT_CORE,
  coreBusyMs,
  cpuMs,
  LOAD_CORE,
  nextMessage,
  rssMb,
  startPinned,
  type Pinned,
} from './pinned.ts'
import { recordLine, type Facts, type Memory, type Result } from './record.ts'
import { reportLatency, reportMemory, reportOverhead } from './report.ts'
import { SCENARIOS, type Scenario } from './scenarios.ts'
import { reportSoak, soak, type SoakResult } from './soak.ts'

/** What the bench works with. */
interface Ground {
  readonly load: Pinned
  readonly upstreamPort: number
  readonly contestants: readonly Contestant[]
}

const ROOT = resolve(import.meta.dirname, '..')
const RESULTS = join(import.meta.dirname, 'results.jsonl')
const REPORT_DEADLINE_MS = 30_000
/** Others on the contestant's core this much of the time: the window is measured once more, the better one counts. */
const DIRTY_SHARE = 0.15
/** In a whole run, so that a busy machine does not make it endless. */
const MOST_REPEATS = 6

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string' },
    soak: { type: 'string' },
    'no-build': { type: 'boolean', default: false },
    'no-record': { type: 'boolean', default: false },
    'node-flag': { type: 'string', multiple: true, default: [] },
    help: { type: 'boolean', default: false },
  },
})
const HELP = `npm run bench -- [options]
Compares the CPU of pulsegate with nginx's and with a bare node proxy's, in one run, on one core.
  --only TEXT        only the scenarios whose title holds TEXT
  --rounds N         as many rounds in each scenario (default: the scenario's own)
  --soak SECONDS     instead: mixed requests for so long, and what they do to pulsegate's memory
  --no-record        do not append the figures to bench/results.jsonl
  --no-build         measure the dist/pulsegate.js that is there
  --node-flag FLAG   start pulsegate's node with this flag too, as --node-flag=--cpu-prof`

async function run({ load, upstreamPort, contestants }: Ground): Promise<readonly Result[]> {
  const results: Result[] = []
  let repeatsLeft = MOST_REPEATS
  const window = async (contestant: Contestant, scenario: Scenario): Promise<Window> => {
    const first = await measure(load, contestant, scenario)
    if (first.foreign < DIRTY_SHARE || repeatsLeft === 0) return first
    repeatsLeft--
    const second = await measure(load, contestant, scenario)
    return second.foreign < first.foreign ? second : first
  }
  for (const scenario of SCENARIOS.filter(({ title }) => title.includes(options.only ?? ''))) {
    const windows = new Map(contestants.map((each): [Contestant, Window[]] => [each, []]))
    const direct: number[] = []
    for (let round = 0; round < Number(options.rounds ?? scenario.rounds); round++) {
      if (scenario.isLatency) direct.push((await ask(load, orderFor(scenario, upstreamPort))).p50Us)
      for (const [contestant, list] of windows) list.push(await window(contestant, scenario))
    }
    const named = [...windows].map(([{ name }, list]) => ({ name, windows: list }))
    const report = scenario.isLatency
      ? reportLatency(scenario, named, direct)
      : reportOverhead(scenario, named)
    process.stdout.write(`\n${report}\n`)
    results.push({ title: scenario.title, measured: named })
  }
  return results
}

async function runSoak({ load, contestants }: Ground, seconds: number): Promise<SoakResult | undefined> {
  const own = contestants.at(-1)
  if (own === undefined) return undefined
  const { pid } = own.process
  const result = await soak(
    (order) => ask(load, { ...order, port: own.port }),
    () => rssMb(pid),
    seconds,
  )
  process.stdout.write(`\n${reportSoak(result)}\n`)
  return result
}

function orderFor({ kind, connections, durationMs, perSecond }: Scenario, port: number): Order {
  return { port, kind, connections, durationMs, ...(perSecond !== undefined && { perSecond }) }
}

function ask(load: Pinned, order: Order): Promise<Seen> {
  const seen = nextMessage(load, isSeen, REPORT_DEADLINE_MS)
  load.child.send(order)
  return seen
}

async function measure(
  load: Pinned,
  { process: { pid }, port }: Contestant,
  scenario: Scenario,
): Promise<Window> {
  const [cpuBefore, coreBefore] = [cpuMs(pid), coreBusyMs(CONTESTANT_CORE)]
  const seen = await ask(load, orderFor(scenario, port))
  const ownMs = cpuMs(pid) - cpuBefore
  const coreMs = coreBusyMs(CONTESTANT_CORE) - coreBefore
  return {
    cpuUs: (ownMs * 1000) / seen.units,
    perSecond: (seen.units * 1000) / seen.wallMs,
    p50Us: seen.p50Us,
    p99Us: seen.p99Us,
    rssMb: rssMb(pid),
    busy: ownMs / seen.wallMs,
    foreign: canPin() ? Math.max(0, coreMs - ownMs) / seen.wallMs : 0,
    failures: seen.failures,
  }
}

/** What pulsegate holds before its first request, and after two seconds of short ones on 64 connections. */
async function memoryOf({ load, contestants }: Ground): Promise<Memory | undefined> {
  const own = contestants.at(-1)
  if (own === undefined) return undefined
  const { pid } = own.process
  const idleMb = rssMb(pid)
  await ask(load, { port: own.port, kind: 'small', connections: 64, durationMs: 2000 })
  const memory = { idleMb, loadedMb: rssMb(pid) }
  process.stdout.write(`${reportMemory(memory)}\n`)
  return memory
}

/** So that compilers and connections are warm before anything counts. */
async function warmUp({ load, contestants }: Ground): Promise<void> {
  for (const { port } of contestants)
    for (const kind of ['small', 'large'] as const)
      await ask(load, { port, kind, connections: 32, durationMs: kind === 'small' ? 1200 : 400 })
}

function factsOf({ contestants }: Ground): Facts {
  const git = (...args: readonly string[]): string =>
    spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' }).stdout.trim()
  const isChanged = git('status', '--porcelain', 'src', 'package-lock.json') !== ''
  return {
    date: new Date().toISOString(),
    machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}`,
    node: process.version,
    versions: Object.fromEntries(contestants.map(({ name, version }) => [name, version])),
    commit: `${git('rev-parse', '--short', 'HEAD') || 'unknown'}${isChanged ? '+' : ''}`,
    options: process.argv.slice(2),
  }
}

function head({ contestants }: Ground, { machine, node, commit }: Facts): string {
  const lines = [
    `${machine}, node ${node}, commit ${commit}`,
    ...contestants.map(({ name, version }) => `${name}: ${version}`),
    'pulsegate runs with a master key, four deployments and its default settings: key check, routing, redaction, headers, usage, metrics, log.',
  ]
  if (!contestants.some(({ name }) => name === 'nginx'))
    lines.push('nginx is not installed (Debian: apt-get install nginx-light): it is left out.')
  if (!canPin()) lines.push('Processes cannot be held on cores here: expect wide spreads.')
  return lines.join('\n')
}

async function main(): Promise<void> {
  const begun = Date.now()
  const soakSeconds = options.soak === undefined ? undefined : Number(options.soak)
  if (soakSeconds !== undefined && !(soakSeconds > 0))
    throw new Error(`--soak ${options.soak}: seconds, please`)
  if (!options['no-build']) {
    const built = spawnSync(process.execPath, [join(ROOT, 'scripts/build.ts')], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    if (built.status !== 0) throw new Error(`the build failed:\n${built.stderr}`)
  }
  const folder = mkdtempSync(join(tmpdir(), 'pulsegate-bench-'))
  const started: Pinned[] = []
  try {
    const node = (script: string): Pinned =>
      startPinned([process.execPath, join(import.meta.dirname, script)], LOAD_CORE)
    const [upstream, load] = [node('upstream.ts'), node('load.ts')]
    started.push(upstream, load)
    const upstreamPort = await listeningPort(upstream)
    const nginx = await startNginx(folder, upstreamPort)
    if (nginx !== undefined) started.push(nginx.process)
    const bare = await startBareNode(upstreamPort)
    started.push(bare.process)
    const own = await startPulsegate(folder, upstreamPort, options['node-flag'])
    started.push(own.process)
    const ground: Ground = {
      load,
      upstreamPort,
      contestants: [...(nginx === undefined ? [] : [nginx]), bare, own],
    }
    const facts = factsOf(ground)
    process.stdout.write(`${head(ground, facts)}\n`)
    const memory = await memoryOf(ground)
    await warmUp(ground)
    const results = soakSeconds === undefined ? await run(ground) : []
    const soaked = soakSeconds === undefined ? undefined : await runSoak(ground, soakSeconds)
    if (!options['no-record'])
      appendFileSync(RESULTS, `${recordLine(facts, { memory, results, soak: soaked })}\n`)
  } finally {
    await Promise.all(started.map((each) => each.stop()))
    rmSync(folder, { recursive: true, force: true })
  }
  process.stdout.write(`\n${((Date.now() - begun) / 1000).toFixed(0)} s in all\n`)
}

if (options.help) process.stdout.write(`${HELP}\n`)
else await main()
