import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
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
import { reportOverhead, reportLatency } from './report.ts'
import { SCENARIOS, type Scenario } from './scenarios.ts'

/** What the bench works with. */
interface Ground {
  readonly load: Pinned
  readonly upstreamPort: number
  readonly contestants: readonly Contestant[]
}

const ROOT = resolve(import.meta.dirname, '..')
const REPORT_DEADLINE_MS = 30_000
/** Others on the contestant's core this much of the time: the window is measured once more, the better one counts. */
const DIRTY_SHARE = 0.15
/** In a whole run, so that a busy machine does not make it endless. */
const MOST_REPEATS = 6

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string' },
    'no-build': { type: 'boolean', default: false },
    'node-flag': { type: 'string', multiple: true, default: [] },
    help: { type: 'boolean', default: false },
  },
})
const HELP = `npm run bench -- [options]
Compares the CPU of pulsegate with nginx's and with a bare node proxy's, in one run, on one core.
  --only TEXT        only the scenarios whose title holds TEXT
  --rounds N         as many rounds in each scenario (default: the scenario's own)
  --no-build         measure the dist/pulsegate.js that is there
  --node-flag FLAG   start pulsegate's node with this flag too, e.g. --cpu-prof`

async function run({ load, upstreamPort, contestants }: Ground): Promise<void> {
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
  }
}

function orderFor({ kind, connections, durationMs }: Scenario, port: number): Order {
  return { port, kind, connections, durationMs }
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

/** So that compilers and connections are warm before anything counts. */
async function warmUp({ load, contestants }: Ground): Promise<void> {
  for (const { port } of contestants)
    for (const kind of ['small', 'large'] as const)
      await ask(load, { port, kind, connections: 32, durationMs: kind === 'small' ? 1200 : 400 })
}

function head({ contestants }: Ground): string {
  const [cpu] = cpus()
  const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], {
    cwd: ROOT,
    encoding: 'utf8',
  }).stdout.trim()
  const lines = [
    `${cpus().length} × ${cpu?.model ?? 'unknown CPU'}, node ${process.version}, commit ${commit || 'unknown'}`,
    ...contestants.map(({ name, version }) => `${name}: ${version}`),
    'pulsegate runs with a master key, four deployments and its default settings: key check, routing, redaction, headers, log.',
  ]
  if (!contestants.some(({ name }) => name === 'nginx'))
    lines.push('nginx is not installed (Debian: apt-get install nginx-light): it is left out.')
  if (!canPin()) lines.push('Processes cannot be held on cores here: expect wide spreads.')
  return lines.join('\n')
}

async function main(): Promise<void> {
  const begun = Date.now()
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
    process.stdout.write(`${head(ground)}\n`)
    await warmUp(ground)
    await run(ground)
  } finally {
    await Promise.all(started.map((each) => each.stop()))
    rmSync(folder, { recursive: true, force: true })
  }
  process.stdout.write(`\n${((Date.now() - begun) / 1000).toFixed(0)} s in all\n`)
}

if (options.help) process.stdout.write(`${HELP}\n`)
else await main()
