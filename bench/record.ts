import { ratios, spreadOf, type Measured } from './figures.ts'
import type { Facts, Findings } from './findings.ts'
import { refusalsOf, type Overload } from './overload.ts'
import { gradeOf, verdicts } from './targets.ts'

/** A run as one line of JSON: medians over the rounds, ratios within a round, the worst of memory and of disturbance. */
export function recordLine(facts: Facts, findings: Findings): string {
  const { duties, memory, results, overload, starts, soak } = findings
  const scenarios = results.map(({ title, measured }) => ({
    title,
    contestants: measured.map((each) => figuresOf(each, measured)),
  }))
  const line = {
    ...facts,
    on: duties.flatMap(({ name, isSeen }) => (isSeen ? name : [])),
    off: duties.flatMap(({ name, isSeen }) => (isSeen ? [] : name)),
    memory,
    scenarios,
    overload: overload?.presses.map((press) => pressFigures(press)),
    starts: starts?.map(({ title, firstAnswerMs, rssMb }) => ({
      title,
      firstAnswerMs: spreadOf(firstAnswerMs).median,
      rssMb: spreadOf(rssMb).median,
    })),
    soak,
    targets: verdicts(findings).flatMap((verdict) => {
      const { figure, must, aim, unit, measured } = verdict
      return measured === undefined ? [] : { figure, must, aim, unit, measured, grade: gradeOf(verdict) }
    }),
  }
  return JSON.stringify(line, (_, value: unknown) => (typeof value === 'number' ? rounded(value) : value))
}

function pressFigures({ name, goodput, windows }: Overload['presses'][number]): Record<string, unknown> {
  const { count, dishonest } = refusalsOf(windows)
  const sum = (read: (window: (typeof windows)[number]) => number): number =>
    windows.reduce((total, window) => total + read(window), 0)
  return {
    name,
    goodput: spreadOf(goodput).median,
    p99Us: spreadOf(windows.map(({ p99Us }) => p99Us)).median,
    begun: sum(({ begun }) => begun),
    refused: count,
    dishonest,
    neverBegun: sum(({ neverBegun }) => neverBegun),
  }
}

function figuresOf(each: Measured, all: readonly Measured[]): Record<string, unknown> {
  const { name, windows } = each
  const cpuOf = (of: Measured): number[] => of.windows.map((window) => window.cpuUs)
  const median = (read: (window: Measured['windows'][number]) => number): number =>
    rounded(spreadOf(windows.map(read)).median)
  const others = all.filter((other) => other !== each)
  return {
    name,
    rounds: windows.length,
    cpuUs: median((window) => window.cpuUs),
    times: Object.fromEntries(
      others.map((other) => [other.name, rounded(ratios(cpuOf(each), cpuOf(other)).median)]),
    ),
    perSecond: Math.round(spreadOf(windows.map((window) => window.perSecond)).median),
    p50Us: median((window) => window.p50Us),
    p99Us: median((window) => window.p99Us),
    rssMb: rounded(spreadOf(windows.map((window) => window.rssMb)).most),
    foreign: rounded(spreadOf(windows.map((window) => window.foreign)).most),
    failures: windows.reduce((sum, window) => sum + window.failures, 0),
  }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
