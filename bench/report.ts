import { ratios, shownSpread, spreadOf, table, verdict, type Measured, type Spread } from './figures.ts'
import type { Memory } from './findings.ts'
import type { Scenario } from './scenarios.ts'

/** Below this the core had time left: the load or the upstream was the limit, not the contestant. */
const SATURATED = 0.9

/** CPU for each request, as medians of the rounds with their ends, and as ratios to the floors of the same round. */
export function reportOverhead({ title, unit }: Scenario, all: readonly Measured[]): string {
  const short = unit === 'request' ? 'req' : unit
  const floors = all.slice(0, -1)
  const rows = [
    ['', `CPU µs/${short}`, ...floors.map(({ name }) => `× ${name}`), `${short}/s`, 'RSS MB', 'core busy'],
    ...all.map((each) => {
      const busy = spreadOf(each.windows.map((window) => window.busy)).median
      return [
        each.name,
        shownSpread(spreadOf(cpuOf(each))),
        ...floors.map((floor) => (floor === each ? '1' : shownRatio(ratios(cpuOf(each), cpuOf(floor))))),
        spreadOf(each.windows.map((window) => window.perSecond)).median.toFixed(0),
        spreadOf(each.windows.map((window) => window.rssMb)).most.toFixed(0),
        `${(busy * 100).toFixed(0)} %${unit === 'request' && busy < SATURATED ? ' (load-bound)' : ''}`,
      ]
    }),
  ]
  return [title, table(rows), ...verdicts(all, cpuOf, `µs/${short}`), ...remarks(all)].join('\n')
}

/** Time that an answer takes on one connection, with what the upstream itself takes asked directly. */
export function reportLatency(
  { title }: Scenario,
  all: readonly Measured[],
  directUs: readonly number[],
): string {
  const p50 = (each: Measured): number[] => each.windows.map((window) => window.p50Us)
  const added = (each: Measured): number[] =>
    p50(each).map((us, round) => us - (directUs[round] ?? Number.NaN))
  const rows = [
    ['', 'p50 µs', 'added p50 µs', 'p99 µs'],
    ['direct, on the load’s own core', shownSpread(spreadOf(directUs), 0), '0', ''],
    ...all.map((each) => [
      each.name,
      shownSpread(spreadOf(p50(each)), 0),
      shownSpread(spreadOf(added(each)), 0),
      shownSpread(spreadOf(each.windows.map((window) => window.p99Us)), 0),
    ]),
  ]
  return [title, table(rows), ...verdicts(all, p50, 'µs'), ...remarks(all)].join('\n')
}

/** `2.41 (2.30–2.60)`, and what is much less than one as a fraction: `1/12.0 (1/13.1–1/11.4)`. */
function shownRatio(spread: Spread): string {
  if (spread.median > 0.2) return shownSpread(spread, 2)
  const part = (value: number): string => `1/${(1 / value).toFixed(1)}`
  return `${part(spread.median)} (${part(spread.least)}–${part(spread.most)})`
}

/** What pulsegate holds. */
export function reportMemory({ idleMb, loadedMb }: Memory): string {
  return `RSS of pulsegate: ${idleMb.toFixed(0)} MB idle, ${loadedMb.toFixed(0)} MB after short requests on 64 connections`
}

function cpuOf({ windows }: Measured): number[] {
  return windows.map((window) => window.cpuUs)
}

/** The last one, which is ours, against each of the others. */
function verdicts(
  all: readonly Measured[],
  read: (each: Measured) => number[],
  unit: string,
): readonly string[] {
  const own = all.at(-1)
  if (own === undefined) return []
  return all
    .slice(0, -1)
    .map((floor) => `${own.name} − ${floor.name}: ${verdict(read(own), read(floor), unit)}`)
}

function remarks(all: readonly Measured[]): readonly string[] {
  const windows = all.flatMap((each) => each.windows)
  const foreign = Math.max(...windows.map((window) => window.foreign))
  const failures = windows.reduce((sum, window) => sum + window.failures, 0)
  return [
    ...(foreign > 0.05 ? [`others took up to ${(foreign * 100).toFixed(0)} % of the contestants' core`] : []),
    ...(failures > 0 ? [`FAILED requests: ${failures}`] : []),
  ]
}
