import type { Starts } from './cold-start.ts'
import type { Findings } from './findings.ts'
import { ratios, spreadOf, table, type Window } from './figures.ts'
import { refusalsOf, type Overload } from './overload.ts'
import { TITLES } from './scenarios.ts'

/** What a figure should be. */
export interface Target {
  readonly figure: string
  /** At most, or at least where `isFloor`. */
  readonly must: number
  readonly aim: number
  readonly unit: string
  readonly isFloor?: true
}

/** And what it was; undefined where this run did not measure it. */
export interface Verdict extends Target {
  readonly measured: number | undefined
}

/** How it is judged. */
export type Grade = 'aim' | 'ok' | 'MISSED' | 'not measured'

type Bounds = readonly [must: number, aim: number, unit: string]

function atMost(figure: string, [must, aim, unit]: Bounds, measured: number | undefined): Verdict {
  return { figure, must, aim, unit, measured }
}

function atLeast(figure: string, bounds: Bounds, measured: number | undefined): Verdict {
  return { ...atMost(figure, bounds, measured), isFloor: true }
}

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
  const under = (title: string, other: string): number | undefined => {
    const ratio = times(title, other)
    return ratio === undefined ? undefined : 1 / ratio
  }
  const { small, large, largeModelLast, streams, translatedStreams } = TITLES
  return [
    atMost('CPU, 600 B', [7.5, 5, '× nginx'], times(small, 'nginx')),
    atMost('CPU, 100 KB, model first', [5, 3.6, '× nginx'], times(large, 'nginx')),
    atMost('CPU, 100 KB, model last', [6.5, 5, '× nginx'], times(largeModelLast, 'nginx')),
    atMost('CPU, stream, an event', [3, 2.2, '× nginx'], times(streams, 'nginx')),
    atMost('CPU, translated stream, an event', [4, 4, '× nginx'], times(translatedStreams, 'nginx')),
    atLeast('CPU of Portkey, 600 B', [8, 12, '× ours'], under(small, 'portkey')),
    atLeast('CPU of Portkey, 100 KB', [8, 12, '× ours'], under(large, 'portkey')),
    atLeast('CPU of LiteLLM, 600 B', [60, 100, '× ours'], under(small, 'litellm')),
    atLeast('CPU of LiteLLM, 100 KB', [60, 100, '× ours'], under(large, 'litellm')),
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
  const p50 = added(({ p50Us }) => p50Us)
  const p99 = added(({ p99Us }) => p99Us)
  return [
    atMost('added to nginx, one connection, p50', [0.4, 0.25, 'ms'], p50),
    atMost('added to nginx, one connection, p99', [3, 1.5, 'ms'], p99),
    atMost('cold start to the first 200', [0.7, 0.4, 's'], start('small')),
    atMost('the same, 10,000 deployments', [1.8, 1.1, 's'], start('large')),
  ]
}

function memoryVerdicts({ memory, starts, soak }: Findings): readonly Verdict[] {
  const large = starts?.find(({ name }) => name === 'large')
  const largeMb = large === undefined ? undefined : spreadOf(large.rssMb).median
  return [
    atMost('RSS, idle', [100, 80, 'MB'], memory?.idleMb),
    atMost('RSS, loaded, 64 connections', [150, 120, 'MB'], memory?.loadedMb),
    atMost('RSS, 10,000 deployments', [200, 150, 'MB'], largeMb),
    atMost('RSS growth, second half of the soak', [5, 0, 'MB'], soak?.growthMb),
  ]
}

/** In the order in which overload presses. */
const GOODPUTS = [
  { name: 'open loop, 1.5 ×', must: 80 },
  { name: 'open loop, 3 ×', must: 45 },
  { name: 'closed loop, 3 ×', must: 90 },
] as const

function pressVerdicts({ overload }: Findings): readonly Verdict[] {
  return GOODPUTS.flatMap(({ name, must }, at) => {
    const press = overload?.presses[at]
    const share = press === undefined ? undefined : spreadOf(press.goodput).median * 100
    const p99s = press?.windows.map(({ p99Us }) => p99Us / 1_000_000)
    return [
      atLeast(`overload, ${name}: goodput`, [must, must, '% of peak'], share),
      atMost(
        `overload, ${name}: p99 of the admitted`,
        [1, 1, 's'],
        p99s === undefined ? undefined : spreadOf(p99s).median,
      ),
      atMost(`overload, ${name}: no 503 + Retry-After`, [0, 0, '% of asked'], dishonest(overload, at)),
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
