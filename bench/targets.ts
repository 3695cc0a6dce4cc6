import type { Starts } from './cold-start.ts'
import type { Findings } from './findings.ts'
import { ratios, spreadOf, table, type Window } from './figures.ts'
import { refusalsOf, type Overload } from './overload.ts'
import { TITLES } from './scenarios.ts'

/** What a figure should be, and what it was. */
export interface Verdict {
  readonly figure: string
  /** At most, or at least where `isFloor`. */
  readonly must: number
  readonly aim: number
  readonly unit: string
  readonly isFloor?: true
  /** Undefined where this run did not measure it. */
  readonly measured: number | undefined
}

/** How it is judged. */
export type Grade = 'aim' | 'ok' | 'MISSED' | 'not measured'

/** Every figure that has a target, in this order. */
export function verdicts(findings: Findings): readonly Verdict[] {
  return [
    ...cpuVerdicts(findings),
    ...timeVerdicts(findings),
    ...memoryVerdicts(findings),
    ...pressVerdicts(findings),
  ]
}

function cpuVerdicts(findings: Findings): readonly Verdict[] {
  const times = (title: string, other: string): number | undefined =>
    compared(findings, title, other, (own, others) => ratios(cpuOf(own), cpuOf(others)).median)
  const over = (title: string, other: string): number | undefined => {
    const ratio = times(title, other)
    return ratio === undefined ? undefined : 1 / ratio
  }
  return [
    { figure: 'CPU, 600 B', must: 7.5, aim: 5, unit: '× nginx', measured: times(TITLES.small, 'nginx') },
    {
      figure: 'CPU, 100 KB, model first',
      must: 5,
      aim: 3.6,
      unit: '× nginx',
      measured: times(TITLES.large, 'nginx'),
    },
    {
      figure: 'CPU, 100 KB, model last',
      must: 6.5,
      aim: 5,
      unit: '× nginx',
      measured: times(TITLES.largeModelLast, 'nginx'),
    },
    {
      figure: 'CPU, stream, an event',
      must: 3,
      aim: 2.2,
      unit: '× nginx',
      measured: times(TITLES.streams, 'nginx'),
    },
    {
      figure: 'CPU of Portkey, 600 B',
      must: 8,
      aim: 12,
      unit: '× ours',
      isFloor: true,
      measured: over(TITLES.small, 'portkey'),
    },
    {
      figure: 'CPU of Portkey, 100 KB',
      must: 8,
      aim: 12,
      unit: '× ours',
      isFloor: true,
      measured: over(TITLES.large, 'portkey'),
    },
    {
      figure: 'CPU of LiteLLM, 600 B',
      must: 60,
      aim: 100,
      unit: '× ours',
      isFloor: true,
      measured: over(TITLES.small, 'litellm'),
    },
    {
      figure: 'CPU of LiteLLM, 100 KB',
      must: 60,
      aim: 100,
      unit: '× ours',
      isFloor: true,
      measured: over(TITLES.large, 'litellm'),
    },
  ]
}

function timeVerdicts(findings: Findings): readonly Verdict[] {
  const added = (read: (window: Window) => number): number | undefined =>
    compared(findings, TITLES.alone, 'nginx', (own, others) => {
      const differences = own.map((window, round) => {
        const other = others[round]
        return other === undefined ? Number.NaN : read(window) - read(other)
      })
      return spreadOf(differences).median / 1000
    })
  const start = (name: Starts['name']): number | undefined => {
    const found = findings.starts?.find((each) => each.name === name)
    return found === undefined ? undefined : spreadOf(found.firstAnswerMs).median / 1000
  }
  return [
    {
      figure: 'added to nginx, one connection, p50',
      must: 0.4,
      aim: 0.25,
      unit: 'ms',
      measured: added(({ p50Us }) => p50Us),
    },
    {
      figure: 'added to nginx, one connection, p99',
      must: 3,
      aim: 1.5,
      unit: 'ms',
      measured: added(({ p99Us }) => p99Us),
    },
    { figure: 'cold start to the first 200', must: 0.7, aim: 0.4, unit: 's', measured: start('small') },
    { figure: 'the same, 10,000 deployments', must: 1.8, aim: 1.1, unit: 's', measured: start('large') },
  ]
}

function memoryVerdicts({ memory, starts, soak }: Findings): readonly Verdict[] {
  const large = starts?.find(({ name }) => name === 'large')
  const largeMb = large === undefined ? undefined : spreadOf(large.rssMb).median
  return [
    { figure: 'RSS, idle', must: 100, aim: 80, unit: 'MB', measured: memory?.idleMb },
    { figure: 'RSS, loaded, 64 connections', must: 150, aim: 120, unit: 'MB', measured: memory?.loadedMb },
    { figure: 'RSS, 10,000 deployments', must: 200, aim: 150, unit: 'MB', measured: largeMb },
    { figure: 'RSS growth, second half of the soak', must: 5, aim: 0, unit: 'MB', measured: soak?.growthMb },
  ]
}

function pressVerdicts({ overload }: Findings): readonly Verdict[] {
  const musts = [80, 45, 90]
  const names = ['open loop 1.5 ×', 'open loop 3 ×', 'closed loop 3 ×']
  return names.flatMap((name, at) => {
    const press = overload?.presses[at]
    const must = musts[at] ?? 0
    const share = press === undefined ? undefined : spreadOf(press.goodput).median * 100
    const p99 = press === undefined ? undefined : spreadOf(press.windows.map(({ p99Us }) => p99Us)).median
    const p99S = p99 === undefined ? undefined : p99 / 1_000_000
    return [
      {
        figure: `overload, ${name}: goodput`,
        must,
        aim: must,
        unit: '% of peak',
        isFloor: true as const,
        measured: share,
      },
      { figure: `overload, ${name}: p99 of the admitted`, must: 1, aim: 1, unit: 's', measured: p99S },
      {
        figure: `overload, ${name}: refused otherwise than 503 + Retry-After`,
        must: 0,
        aim: 0,
        unit: '%',
        measured: dishonest(overload, at),
      },
    ]
  })
}

/** Refusals that are no 503 or do not say when to come back, and torn connections, of all that was begun. */
function dishonest(overload: Overload | undefined, at: number): number | undefined {
  const windows = overload?.presses[at]?.windows
  if (windows === undefined) return undefined
  const begun = windows.reduce((sum, window) => sum + window.begun, 0)
  return (refusalsOf(windows).dishonest / begun) * 100
}

function cpuOf(windows: readonly Window[]): number[] {
  return windows.map(({ cpuUs }) => cpuUs)
}

/** Of two contestants in one scenario; undefined where one of them was not there. */
function compared(
  { results }: Findings,
  title: string,
  other: string,
  read: (own: readonly Window[], others: readonly Window[]) => number,
): number | undefined {
  const measured = results.find((result) => result.title === title)?.measured
  const windowsOf = (name: string): readonly Window[] | undefined =>
    measured?.find((each) => each.name === name)?.windows
  const [own, others] = [windowsOf('pulsegate'), windowsOf(other)]
  return own === undefined || others === undefined ? undefined : read(own, others)
}

/** What it comes to. */
export function gradeOf({ must, aim, isFloor, measured }: Verdict): Grade {
  if (measured === undefined) return 'not measured'
  const reaches = (bound: number): boolean => (isFloor ? measured >= bound : measured <= bound)
  return reaches(aim) ? 'aim' : reaches(must) ? 'ok' : 'MISSED'
}

/** For reading. */
export function reportVerdicts(all: readonly Verdict[]): string {
  const rows = [
    ['', 'must', 'aim', 'measured', ''],
    ...all.map((verdict) => {
      const { figure, must, aim, unit, isFloor, measured } = verdict
      const sign = isFloor ? '≥' : '≤'
      const shown = measured === undefined ? '–' : `${measured.toFixed(measured < 10 ? 2 : 1)} ${unit}`
      return [figure, `${sign} ${must}`, `${sign} ${aim}`, shown, gradeOf(verdict)]
    }),
  ]
  return `targets\n${table(rows)}`
}
