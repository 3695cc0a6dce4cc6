import { shownMode } from '../core/deployment.ts'
import type { Config } from '../config/config.ts'
import type { HealthPlan, PlanRow } from '../health/plan.ts'
import { clip, fit, lengthOf, rowNames, wrap } from './table.ts'
import { oneLine, type Terminal } from './terminal.ts'

const GAP = '  '
const LEAST_NAME = 12
const MOST_NAME = 40
/** Wide enough to tell the modes apart; the whole word where the terminal has room. */
const SHORT_MODE = 13
const ROOMY = 100
const NUMBER_HEADS = ['$/CHECK', 'IDLE', '$/DAY', 'BUSY', '$/DAY', 'LITELLM'] as const
const NUMBER_WIDTHS = [7, 5, 7, 5, 7, 7] as const

/** The plan as lines of at most the terminal's width: a row for each deployment, then sums, then the budget. */
export function planLines(
  { deployments, general }: Config,
  plan: HealthPlan,
  { paint, width }: Pick<Terminal, 'paint' | 'width'>,
): readonly string[] {
  const names = rowNames(deployments).map(oneLine)
  const modes = deployments.map(shownMode)
  const mode = width < ROOMY ? SHORT_MODE : Math.max(4, ...modes.map(lengthOf))
  const numbers = NUMBER_WIDTHS.reduce((sum, each) => sum + each + GAP.length, 0)
  const room = width - mode - numbers - GAP.length
  const widest = names.reduce((most, name) => Math.max(most, lengthOf(name)), 'MODEL'.length)
  const name = Math.min(Math.max(room, LEAST_NAME), widest, MOST_NAME)
  const line = (cells: readonly [string, string], rest: string): string =>
    clip(`${fit(cells[0], name)}${GAP}${fit(cells[1], mode)}${GAP}${rest}`.trimEnd(), width)
  const restWidth = numbers - GAP.length
  const rows = plan.rows.map((row, at) =>
    line([names[at] ?? '', modes[at] ?? ''], clip(rowNumbers(row), restWidth)),
  )
  return [
    paint('bold', line(['MODEL', 'MODE'], columns([...NUMBER_HEADS]))),
    ...rows,
    '',
    ...totals(plan, paint),
    '',
    ...remarks(plan, general.backgroundHealthChecks).flatMap((each) => wrap(each, width)),
  ]
}

function rowNumbers({ price, idle, busy, liteLlm, unchecked }: PlanRow): string {
  if (unchecked !== undefined) return `unchecked: ${unchecked}`
  return columns([
    dollars(price),
    count(idle.probes),
    dollars(idle.usd),
    count(busy.probes),
    dollars(busy.usd),
    dollars(liteLlm.usd),
  ])
}

function columns(cells: readonly string[]): string {
  return cells.map((cell, at) => cell.padStart(NUMBER_WIDTHS[at] ?? 0)).join(GAP)
}

function totals(plan: HealthPlan, paint: Terminal['paint']): readonly string[] {
  const every = `LiteLLM, each ${plan.intervalMs / 1000} s`
  const rows = [
    ['idle', plan.idle],
    ['busy', plan.busy],
    [every, plan.liteLlm],
  ] as const
  const first = rows.reduce((most, [name]) => Math.max(most, name.length), 'A DAY'.length)
  const cells = (name: string, probes: string, usd: string, free: string): string =>
    `${fit(name, first)}${GAP}${probes.padStart(10)}${GAP}${usd.padStart(9)}${GAP}${free.padStart(10)}`
  return [
    paint('bold', cells('A DAY', 'PROBES', 'DOLLARS', 'FREE LOOKS')),
    ...rows.map(([name, { probes, usd, free }]) => cells(name, count(probes), dollars(usd), count(free))),
  ]
}

function remarks({ budget, idle, liteLlm }: HealthPlan, isOn: boolean): readonly string[] {
  const { cut, usdPerDay } = budget
  const cuts =
    cut.probes >= 0.5
      ? `cuts ${count(cut.probes)} probes and $${dollars(cut.usd)} of an idle day`
      : 'cuts nothing of an idle day'
  const times = idle.usd > 0 && liteLlm.usd > idle.usd ? liteLlm.usd / idle.usd : undefined
  return [
    `Idle: no requests at all. Busy: 2 requests a minute at each deployment; with more it is less. All are well.`,
    `The budget of $${dollars(usdPerDay)} a day ${cuts}: looks at the well stop at half of it.`,
    ...(times === undefined
      ? []
      : [`LiteLLM would spend ${count(times)} times as much as an idle day here.`]),
    ...(isOn ? [] : ['background_health_checks is off: none of this is spent before it is true.']),
  ]
}

/** Two significant digits, whatever the size: prices here differ by six orders of magnitude. */
function dollars(value: number): string {
  if (value === 0) return '0'
  if (value >= 1000) return count(value)
  if (value >= 0.995) return value.toFixed(2)
  return value < 0.00095 ? value.toExponential(1) : String(Number(value.toPrecision(2)))
}

function count(value: number): string {
  if (value >= 99_999.5) return `${Math.round(value / 1000)}k`
  return value > 0 && value < 9.95 && !Number.isInteger(value) ? value.toFixed(1) : String(Math.round(value))
}
