/**
 * What the health engine makes of a day: 100 mixed models, 50 requests a second, an outage of each or none. The real
 * state machine, looks and scheduler run under a wound clock. Run with `npm run bench:health`; an argument names other
 * seeds than the committed ones (`1,2,3`).
 */
import { availableParallelism } from 'node:os'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { runDay } from './health/day.ts'
import type { Script } from './health/fleet.ts'
import { measureScheduler } from './health/large-fleet.ts'
import type { DayFigures } from './health/referee.ts'
import { quantile, tableOf } from './health/table.ts'
import type { Row } from './health/table.ts'

const SEEDS = Array.from({ length: 20 }, (_, index) => index + 1)
const TERRIBLE: Script = { requestsPerSecond: 50, blips: 0.005, hasOutages: true }
const QUIET: Script = { requestsPerSecond: 50, blips: 0.001, hasOutages: false }
const THREADS = Math.min(2, availableParallelism())

interface Task {
  readonly script: Script
  readonly seeds: readonly number[]
}

if (isMainThread) await main()
else work()

function work(): void {
  const { script, seeds }: Task = workerData
  for (const seed of seeds) parentPort?.postMessage(runDay(script, seed))
}

async function main(): Promise<void> {
  const seeds = process.argv[2]?.split(',').map(Number) ?? SEEDS
  console.log(`seeds ${seeds.join(', ')}; 24 hours each, with outages and without`)
  const startedAt = performance.now()
  const terrible = await runDays(TERRIBLE, seeds)
  const quiet = await runDays(QUIET, seeds)
  const seconds = (performance.now() - startedAt) / 1000
  const scheduler = await measureScheduler()
  const rows = [...dayRows(terrible, quiet), ...scheduler]
  console.log(tableOf(rows))
  const days = 2 * seeds.length
  console.log(`${days} days in ${seconds.toFixed(0)} s; ${summary(terrible)}`)
  if (rows.some(({ isMissed }) => isMissed)) process.exitCode = 1
}

/** The seeds, shared out among threads. */
async function runDays(script: Script, seeds: readonly number[]): Promise<readonly DayFigures[]> {
  const shares = Array.from({ length: THREADS }, (_, thread) =>
    seeds.filter((_seed, index) => index % THREADS === thread),
  )
  const days = await Promise.all(shares.map((share) => runInThread({ script, seeds: share })))
  return days.flat()
}

function runInThread(task: Task): Promise<readonly DayFigures[]> {
  return new Promise((resolve, reject) => {
    const days: DayFigures[] = []
    const worker = new Worker(new URL(import.meta.url), { workerData: task })
    worker.on('message', (day: DayFigures) => days.push(day))
    worker.on('error', reject)
    worker.on('exit', () => resolve(days))
  })
}

type OutageNumber = 'detectedMs' | 'hangMs' | 'returnedMs'

function dayRows(terrible: readonly DayFigures[], quiet: readonly DayFigures[]): readonly Row[] {
  const seconds = (name: OutageNumber, share: number) => (day: DayFigures) =>
    quantile(
      day.outages.flatMap((outage) => outage[name] ?? []),
      share,
    ) / 1000
  const row = (
    name: string,
    days: readonly DayFigures[],
    of: (day: DayFigures) => number,
    must: number,
    aim: number,
    digits: number,
  ): Row => {
    const values = days.map(of)
    const value = quantile(values, 0.5)
    return { name, value, worst: Math.max(...values), must, aim, digits, isMissed: !(value <= must) }
  }
  return [
    row('outages: paid probes a day', terrible, (day) => day.paidProbes, 5000, 5000, 0),
    row('outages: dollars a day', terrible, (day) => day.dollars, 3, 3, 2),
    row('quiet: paid probes a day', quiet, (day) => day.paidProbes, 700, 700, 0),
    row('quiet: dollars a day', quiet, (day) => day.dollars, 0.25, 0.25, 2),
    row('first failure → out, p50, s', terrible, seconds('detectedMs', 0.5), 7, 2, 1),
    row('first failure → out, p95, s', terrible, seconds('detectedMs', 0.95), 9, 7, 1),
    row('end of outage → back, p50, s', terrible, seconds('returnedMs', 0.5), 40, 25, 1),
    row('end of outage → back, p95, s', terrible, seconds('returnedMs', 0.95), 150, 100, 1),
    row('false ejections a day', terrible, (day) => day.falseEjections, 2, 0, 0),
    row('quiet: false ejections a day', quiet, (day) => day.falseEjections, 2, 0, 0),
    row('hang: first silent call → out, worst, s', terrible, seconds('hangMs', 1), 60, 60, 1),
    row('looks at what is being looked at', terrible, (day) => day.duplicates, 0, 0, 0),
  ]
}

/** What is no figure to reach, but tells how the day went. */
function summary(days: readonly DayFigures[]): string {
  const middle = (of: (day: DayFigures) => number): string => quantile(days.map(of), 0.5).toFixed(0)
  const unnoticed = middle(
    (day) =>
      day.outages.filter(
        ({ returnedMs, detectedMs, hangMs }) => (returnedMs ?? detectedMs ?? hangMs) === undefined,
      ).length,
  )
  return `in the middle day with outages ${middle((day) => day.requests)} requests, ${middle((day) => day.failures)} failures at sick deployments, ${middle((day) => day.refused)} requests that nobody was asked with, ${middle((day) => day.freeProbes)} free probes, ${unnoticed} outages unnoticed`
}
