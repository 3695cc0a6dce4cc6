import type { Command, Form } from './args.ts'
import { AskError } from './ask.ts'
import { EXIT } from './exit-code.ts'
import { configFor, gatewayThere, type GatewayThere } from './gateway-there.ts'
import { askReport, isAllHealthy } from './health.ts'
import { reportRows, type ReportRow } from './health-rows.ts'
import { junitText } from './junit.ts'
import type { Shell } from './shell.ts'
import { shortId } from '../core/deployment.ts'
import { clip, headLine, layoutOf, rowLine } from './table.ts'

/** Wide enough to tell the modes apart; the whole word where the terminal has room. */
const SHORT_MODE = 13
const ROOMY = 100

/** `pulsegate health`: asks the gateway that is running, and shows what it says. */
export async function showHealth(command: Extract<Command, { kind: 'show' }>, shell: Shell): Promise<number> {
  const config = await configFor(command.configPath, shell)
  if (config === 'refused') return EXIT.refused
  const gateway = gatewayThere(command.address, config, shell.env)
  try {
    if (command.form !== 'watch') return await showOnce(gateway, command.form, shell)
    const { watchHealth } = await import('./watch-health.ts')
    await watchHealth(gateway, shell)
    return EXIT.ok
  } catch (error) {
    if (!(error instanceof AskError)) throw error
    shell.terminal.err(`pulsegate: ${error.message}`)
    return EXIT.refused
  }
}

async function showOnce(gateway: GatewayThere, form: Form, { terminal, clock }: Shell): Promise<number> {
  const report = await askReport(gateway)
  const rows = reportRows(report)
  switch (form) {
    case 'json':
      terminal.out(JSON.stringify(report, undefined, 4))
      break
    case 'junit':
      terminal.out(junitOf(rows, clock.now()))
      break
    case 'table':
      for (const line of tableOf(rows, terminal)) terminal.out(line)
      terminal.out(countLine(rows))
      if (report['self_isolated'] === true)
        terminal.out('The gateway reaches nobody: its own network fails, and nobody is called down.')
      break
  }
  return isAllHealthy(report) ? EXIT.ok : EXIT.unhealthy
}

/** Rows as JUnit's cases. */
export function junitOf(rows: readonly ReportRow[], at: number): string {
  const cases = rows.map(({ group, model, id, verdict, latencyMs, reason, error }) => ({
    group,
    name: id === '' ? model : `${model} ${shortId(id)}`,
    outcome: OUTCOMES[verdict],
    ...(latencyMs !== undefined && { ms: latencyMs }),
    reason,
    ...(error !== undefined && { detail: error }),
  }))
  return junitText(cases, at)
}

const OUTCOMES = {
  healthy: 'passed',
  unhealthy: 'failed',
  waiting: 'failed',
  'not checked': 'skipped',
} as const

/** `11 healthy, 4 unhealthy, 1 not checked` */
export function countLine(rows: readonly Pick<ReportRow, 'verdict'>[]): string {
  const count = (wanted: ReportRow['verdict']): number =>
    rows.filter(({ verdict }) => verdict === wanted).length
  const parts = [
    `${count('healthy')} healthy`,
    `${count('unhealthy')} unhealthy`,
    ...(count('not checked') > 0 ? [`${count('not checked')} not checked`] : []),
  ]
  return parts.join(', ')
}

function tableOf(rows: readonly ReportRow[], { width, paint }: Shell['terminal']): readonly string[] {
  const layout = layoutOf(
    rows.map(({ model }) => model),
    rows.map(({ mode }) => (width < ROOMY ? clip(mode, SHORT_MODE) : mode)),
    width,
  )
  return [headLine(layout, paint), ...rows.map((row) => rowLine(row, layout, paint)), '']
}
