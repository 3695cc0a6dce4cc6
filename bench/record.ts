import { ratios, spreadOf, type Measured } from './figures.ts'
import type { SoakResult } from './soak.ts'

/** Where and of what the figures are. */
export interface Facts {
  readonly date: string
  readonly machine: string
  readonly node: string
  readonly versions: Readonly<Record<string, string>>
  /** Short hash; `+` behind it where the tree held more than was committed. */
  readonly commit: string
  /** What was asked of the run that is not its default. */
  readonly options: readonly string[]
}

/** Resident memory of pulsegate, MB of 1,000,000 bytes. */
export interface Memory {
  readonly idleMb: number
  readonly loadedMb: number
}

/** What a run found. */
export interface Findings {
  readonly memory: Memory | undefined
  readonly results: readonly Result[]
  readonly soak: SoakResult | undefined
}

/** What one scenario gave. */
export interface Result {
  readonly title: string
  readonly measured: readonly Measured[]
}

/** A run as one line of JSON: medians over the rounds, ratios within a round, the worst of memory and of disturbance. */
export function recordLine(facts: Facts, { memory, results, soak }: Findings): string {
  const scenarios = results.map(({ title, measured }) => ({
    title,
    contestants: measured.map((each) => figuresOf(each, measured)),
  }))
  return JSON.stringify({
    ...facts,
    ...(memory !== undefined && { memory: roundedAll(memory) }),
    scenarios,
    ...(soak !== undefined && { soak: roundedAll(soak) }),
  })
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

function roundedAll(values: SoakResult | Memory): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, rounded(Number(value))]))
}
