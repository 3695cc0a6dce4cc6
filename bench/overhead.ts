import type { Contestant } from './contestants.ts'
import type { Window } from './figures.ts'
import type { Result } from './findings.ts'
import { ask, orderTo, type Ground } from './ground.ts'
import type { Options } from './options.ts'
import { canPin, CONTESTANT_CORE, coreBusyMs, cpuMs, rssMb } from './pinned.ts'
import { reportLatency, reportOverhead } from './report.ts'
import { SCENARIOS, type Scenario } from './scenarios.ts'

/** Others on the contestant's core this much of the time: the window is measured once more, the better one counts. */
const DIRTY_SHARE = 0.15
/** In a whole run, so that a busy machine does not make it endless. */
const MOST_REPEATS = 6
/** Windows in a row whose CPU differs by no more than this: compilers have done what they will do. */
const STEADY_SHARE = 0.05
/** Two may be alike by chance, just before a compiler begins with what has become hot. */
const STEADY_WINDOWS = 3
/** A compiler that never ends, or a machine that is never quiet, is measured all the same. */
const MOST_WARM_UPS = 16
const MOST_WARM_UP_MS = 20_000

/** All scenarios: in each the contestants take turns, round by round. */
export async function runScenarios(ground: Ground, options: Options): Promise<readonly Result[]> {
  const chosen = SCENARIOS.filter(({ title }) => title.includes(options.only))
  const results: Result[] = []
  const measureWell = createMeasure(ground)
  for (const scenario of chosen) {
    const taking = ground.contestants.filter(({ name }) => scenario.withPeers || !isPeer(name))
    const windows = new Map(taking.map((each): [Contestant, Window[]] => [each, []]))
    const direct: number[] = []
    for (const contestant of taking) await warmUp(ground, contestant, scenario)
    for (let round = 0; round < (options.rounds ?? scenario.rounds); round++) {
      if (scenario.isLatency)
        direct.push((await ask(ground.load, orderTo({ port: ground.upstreamPort }, scenario.task))).p50Us)
      for (const [contestant, list] of windows) list.push(await measureWell(contestant, scenario))
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

function isPeer(name: Contestant['name']): boolean {
  return name === 'portkey' || name === 'litellm'
}

/** Measures a window, and once more where it was disturbed. */
function createMeasure(ground: Ground): (contestant: Contestant, scenario: Scenario) => Promise<Window> {
  let repeatsLeft = MOST_REPEATS
  return async (contestant, scenario) => {
    const first = await measure(ground, contestant, scenario)
    if (first.foreign < DIRTY_SHARE || repeatsLeft === 0) return first
    repeatsLeft--
    const second = await measure(ground, contestant, scenario)
    return second.foreign < first.foreign ? second : first
  }
}

async function measure({ load }: Ground, contestant: Contestant, { task }: Scenario): Promise<Window> {
  const { pid } = contestant.process
  const [cpuBefore, coreBefore] = [cpuMs(pid), coreBusyMs(CONTESTANT_CORE)]
  const seen = await ask(load, orderTo(contestant, task))
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

/**
 * Asks for what will be measured until it costs the same three times: the compilers of V8 work on the contestant's core
 * for seconds, and up to half of the CPU of a window that begins too early is theirs.
 */
async function warmUp(ground: Ground, contestant: Contestant, scenario: Scenario): Promise<void> {
  const begun = performance.now()
  const costs: number[] = []
  while (costs.length < MOST_WARM_UPS && performance.now() - begun < MOST_WARM_UP_MS) {
    costs.push((await measure(ground, contestant, scenario)).cpuUs)
    const last = costs.slice(-STEADY_WINDOWS)
    if (last.length === STEADY_WINDOWS && Math.max(...last) <= Math.min(...last) * (1 + STEADY_SHARE)) return
  }
}
