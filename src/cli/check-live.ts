import { createApp, type App } from '../app.ts'
import type { Config } from '../config/config.ts'
import { closest } from '../core/closest.ts'
import { shownMode } from '../core/deployment.ts'
import type { Deployment } from '../core/deployment.ts'
import { createRedact } from '../core/secret.ts'
import type { Verdict } from '../core/verdict.ts'
import { report } from '../health/report.ts'
import { readConfig } from '../read-config.ts'
import { createJsonLog } from '../json-log.ts'
import type { Command } from './args.ts'
import { EXIT } from './exit-code.ts'
import type { ReportRow } from './health-rows.ts'
import { printNotActedOn, printProblems } from './problems.ts'
import type { Shell } from './shell.ts'
import { countLine, junitOf } from './show-health.ts'
import { headLine, layoutOf, modesOf, rowLine, rowNames, rowOf } from './table.ts'

type CheckLive = Extract<Command, { kind: 'check-live' }>

/** `pulsegate check FILE --live`: checks the models of a config once; nothing is served. */
export async function checkLive(command: CheckLive, shell: Shell): Promise<number> {
  const { terminal, env, clock, random, version } = shell
  const { config, problems } = await readConfig(command.path, env)
  printProblems(problems, terminal)
  if (config === undefined) return EXIT.refused
  printNotActedOn(config, terminal)
  const chosen = choose(config, command.only)
  if (typeof chosen === 'string') {
    terminal.err(`pulsegate: ${chosen}`)
    return EXIT.refused
  }
  const redact = createRedact(config.secrets)
  shell.hideSecrets(redact)
  const log = createJsonLog({ level: 'error', redact })
  const app = await createApp(config, { log, redact, clock, random, version, host: '127.0.0.1', port: 0 })
  try {
    const rows = await checkAll(command, app, chosen, shell)
    print(command, app, chosen, rows, shell)
    const isHealthy = rows.some(({ verdict }) => verdict === 'healthy')
    return isHealthy && rows.every(({ verdict }) => verdict !== 'unhealthy') ? EXIT.ok : EXIT.unhealthy
  } finally {
    await app.close()
    log.flush()
  }
}

/** The deployments that are meant, or what is wrong with their names. */
function choose(
  { deployments }: Config,
  only: readonly string[] | undefined,
): readonly Deployment[] | string {
  if (deployments.length === 0) return 'the config has no deployments: there is nothing to check'
  if (only === undefined) return deployments
  const chosen = new Set<number>()
  for (const name of only) {
    const pattern = patternOf(name)
    const found = deployments.filter(({ group, id, model }) =>
      [group, id, model].some((each) => pattern.test(each)),
    )
    if (found.length === 0) return unknownName(name, deployments)
    for (const { index } of found) chosen.add(index)
  }
  return deployments.filter(({ index }) => chosen.has(index))
}

function patternOf(name: string): RegExp {
  const parts = name.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
  return new RegExp(`^${parts.join('.*')}$`, 's')
}

function unknownName(name: string, deployments: readonly Deployment[]): string {
  const names = deployments.flatMap(({ group, model }) => [group, model])
  const close = closest(name, names)
  const hint = close === undefined ? '' : `; did you mean ${close}?`
  return `--only: no group, id or model is ${JSON.stringify(name)}${hint}`
}

/** Checks them, a line for each as it comes where a table is wanted; in the config's order at the end. */
async function checkAll(
  { maxCost, timeoutMs, form }: CheckLive,
  app: App,
  chosen: readonly Deployment[],
  { terminal }: Shell,
): Promise<readonly ReportRow[]> {
  const names = rowNames(chosen)
  const layout = layoutOf(names, modesOf(chosen), terminal.width)
  const rows = new Map<number, ReportRow>()
  const add = (deployment: Deployment, at: number, row: Omit<ReportRow, 'group' | 'id'>): void => {
    const known = { ...row, group: deployment.group, id: deployment.id }
    rows.set(at, known)
    if (form === 'table') terminal.out(rowLine(known, layout, terminal.paint))
  }
  if (form === 'table') terminal.out(headLine(layout, terminal.paint))
  const { affordable, dear } = await afford(app, chosen, maxCost)
  for (const { deployment, at, price } of dear)
    add(deployment, at, {
      ...blank(names[at] ?? '', deployment),
      verdict: 'not checked',
      reason: `left out: it would cost $${price.toPrecision(2)}, beyond --max-cost`,
    })
  const signal = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)
  await Promise.all(
    affordable.map(async ({ deployment, at }) => {
      const verdict = await app.checkOnce(deployment, signal)
      if (verdict !== undefined) add(deployment, at, rowFor(names[at] ?? '', deployment, verdict))
      else
        add(deployment, at, {
          ...blank(names[at] ?? '', deployment),
          verdict: 'unhealthy',
          reason: `timeout: no verdict within the ${(timeoutMs ?? 0) / 1000} s of --timeout`,
        })
    }),
  )
  return [...rows].sort(([a], [b]) => a - b).map(([, row]) => row)
}

interface Priced {
  readonly deployment: Deployment
  readonly at: number
  readonly price: number
}

/** As many as the money is enough for, the cheap ones first. */
async function afford(
  app: App,
  chosen: readonly Deployment[],
  maxCost: number | undefined,
): Promise<{ readonly affordable: readonly Priced[]; readonly dear: readonly Priced[] }> {
  if (maxCost === undefined)
    return { affordable: chosen.map((deployment, at) => ({ deployment, at, price: 0 })), dear: [] }
  const prices = await app.prices()
  const priced = chosen.map((deployment, at) => ({ deployment, at, price: prices[deployment.index] ?? 0 }))
  let left = maxCost
  const affordable: Priced[] = []
  const dear: Priced[] = []
  for (const each of priced.toSorted((a, b) => a.price - b.price)) {
    if (each.price <= left + 1e-12) {
      left -= each.price
      affordable.push(each)
    } else dear.push(each)
  }
  return { affordable, dear }
}

function blank(model: string, deployment: Deployment): Pick<ReportRow, 'model' | 'mode'> {
  return { model, mode: shownMode(deployment) }
}

function rowFor(name: string, deployment: Deployment, verdict: Verdict): Omit<ReportRow, 'group' | 'id'> {
  const row = rowOf(name, deployment, { state: 'UNKNOWN', since: verdict.at, verdict })
  if (verdict.kind === 'healthy') return row
  const isChecked = verdict.reason !== 'checks_disabled'
  return { ...row, ...(!isChecked && { verdict: 'not checked' }), error: verdict.error }
}

function print(
  { form }: CheckLive,
  { board }: App,
  chosen: readonly Deployment[],
  rows: readonly ReportRow[],
  { terminal, clock }: Shell,
): void {
  switch (form) {
    case 'json':
      terminal.out(JSON.stringify(report(chosen, board, { details: true }), undefined, 4))
      break
    case 'junit':
      terminal.out(junitOf(rows, clock.now()))
      break
    case 'table':
      terminal.out('')
      break
  }
  const line = countLine(rows)
  if (form === 'table') terminal.out(line)
  else terminal.err(line)
}
