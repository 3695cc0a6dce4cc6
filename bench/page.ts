import { ratios, shownSpread, spreadOf, type Measured, type Window } from './figures.ts'
import type { Facts, Findings, Result } from './findings.ts'
import { refusalsOf, type Overload } from './overload.ts'
import { SCENARIOS } from './scenarios.ts'
import { reportSoak } from './soak.ts'
import { gradeOf, verdicts } from './targets.ts'

/** What stands around the part of docs/performance.md that a run writes. */
const BEGIN = '<!-- written by npm run bench -- --write-docs -->'
const END = '<!-- end of what is written -->'

/** The page with the figures of this run in place of those of the last one; throws where the marks are missing. */
export function withResults(page: string, facts: Facts, findings: Findings): string {
  const from = page.indexOf(BEGIN)
  const to = page.indexOf(END)
  if (from === -1 || to < from) throw new Error(`the page has no "${BEGIN}" … "${END}"`)
  return `${page.slice(0, from + BEGIN.length)}\n\n${resultsOf(facts, findings)}\n\n${page.slice(to)}`
}

function resultsOf(facts: Facts, findings: Findings): string {
  const { results, duties, memory, soak, overload } = findings
  const isLatency = ({ title }: Result): boolean =>
    SCENARIOS.some((scenario) => scenario.title === title && scenario.isLatency)
  const named = (isSeen: boolean): string =>
    duties.flatMap((duty) => (duty.isSeen === isSeen ? duty.name : [])).join(', ') || 'nothing'
  return [
    headOf(facts, results),
    `Seen at work in pulsegate, with its default settings: ${named(true)}. Not seen: ${named(false)}.`,
    targetsOf(findings),
    '**CPU**, µs for each request, event or message; in brackets × nginx, median and ends.',
    contestantsOf(
      results.filter((result) => !isLatency(result)),
      cpuCell,
    ),
    '**Time**, µs, median and ends of the rounds: p50, p99.',
    contestantsOf(results.filter(isLatency), timeCell),
    ...(overload === undefined ? [] : ['**Overload**', overloadOf(overload)]),
    ...(memory === undefined
      ? []
      : [
          `**Memory**: ${memory.idleMb.toFixed(0)} MB idle, ${memory.loadedMb.toFixed(0)} MB after 64 connections.`,
        ]),
    ...(soak === undefined ? [] : [reportSoak(soak).split('\n').join('  \n')]),
  ].join('\n\n')
}

function headOf({ date, machine, node, versions, commit }: Facts, results: readonly Result[]): string {
  const windows = results.flatMap(({ measured }) => measured.flatMap((each) => each.windows))
  const foreign = Math.max(0, ...windows.map((window) => window.foreign))
  const others = Object.entries(versions).map(([name, version]) => `${name} (${version})`)
  return (
    `${date.slice(0, 10)}, ${machine}, Node ${node}, commit ${commit}: ${others.join(', ')}. ` +
    `Others took up to ${(foreign * 100).toFixed(0)} % of the contestants' core in the worst window.`
  )
}

function targetsOf(findings: Findings): string {
  const rows = verdicts(findings).map((verdict) => {
    const { figure, must, aim, unit, isFloor, measured } = verdict
    const sign = isFloor ? '≥' : '≤'
    const shown = measured === undefined ? '–' : `${measured.toFixed(measured < 10 ? 2 : 1)} ${unit}`
    return [figure, `${sign} ${must}`, `${sign} ${aim}`, shown, gradeOf(verdict)]
  })
  return markdown(['target', 'must', 'aim', 'measured', ''], rows)
}

/** A row for each scenario, a column for each contestant that was in any of them. */
function contestantsOf(
  results: readonly Result[],
  cell: (each: Measured, nginx: Measured | undefined) => string,
): string {
  const names = [...new Set(results.flatMap(({ measured }) => measured.map(({ name }) => name)))]
  const rows = results.map(({ title, measured }) => {
    const find = (name: string): Measured | undefined => measured.find((each) => each.name === name)
    const nginx = find('nginx')
    const cells = names.map((name) => {
      const each = find(name)
      return each === undefined ? '' : cell(each, each === nginx ? undefined : nginx)
    })
    return [title, ...cells]
  })
  return markdown(['scenario', ...names], rows)
}

function cpuCell(each: Measured, nginx: Measured | undefined): string {
  const cpu = (of: Measured): number[] => of.windows.map(({ cpuUs }) => cpuUs)
  const own = spreadOf(cpu(each)).median.toFixed(1)
  return nginx === undefined ? own : `${own} (${shownSpread(ratios(cpu(each), cpu(nginx)))})`
}

function timeCell({ windows }: Measured): string {
  const spread = (read: (window: Window) => number): string => shownSpread(spreadOf(windows.map(read)), 0)
  return `${spread(({ p50Us }) => p50Us)}, ${spread(({ p99Us }) => p99Us)}`
}

function overloadOf({ peaks, presses }: Overload): string {
  const rows = presses.map(({ name, goodput, windows }) => {
    const begun = windows.reduce((sum, window) => sum + window.begun, 0)
    const { count, dishonest } = refusalsOf(windows)
    return [
      name,
      `${shownSpread(spreadOf(goodput.map((share) => share * 100)), 0)} %`,
      `${(spreadOf(windows.map(({ p99Us }) => p99Us)).median / 1000).toFixed(0)} ms`,
      `${((count / begun) * 100).toFixed(0)} %`,
      String(dishonest),
    ]
  })
  const peak = spreadOf(peaks).median.toFixed(0)
  return markdown(
    [
      `peak ${peak} a second`,
      'goodput of peak',
      'p99 of the admitted',
      'refused',
      'without 503 + Retry-After',
    ],
    rows,
  )
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}
