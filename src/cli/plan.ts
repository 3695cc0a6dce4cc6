import { createApp } from '../app.ts'
import type { Config } from '../config/config.ts'
import { shownMode } from '../core/deployment.ts'
import type { Deployment } from '../core/deployment.ts'
import { silentLog } from '../core/log.ts'
import type { DayCount } from '../health/plan-day.ts'
import type { HealthPlan } from '../health/plan.ts'
import { readConfig } from '../read-config.ts'
import type { Command } from './args.ts'
import { EXIT } from './exit-code.ts'
import { planLines } from './plan-table.ts'
import { printProblems, sizeOf } from './problems.ts'
import type { Shell } from './shell.ts'

/** Of more deployments than this, each kind is simulated by a share of its own. */
const MOST_SIMULATED = 1000

/** `pulsegate plan FILE`: what background checks will cost a day, beside LiteLLM's. Starts nothing, asks nobody. */
export async function plan(
  command: Extract<Command, { kind: 'plan' }>,
  { terminal, env, clock, random, version }: Shell,
): Promise<number> {
  const { config, problems } = await readConfig(command.path, env)
  printProblems(problems, terminal)
  if (config === undefined) return EXIT.refused
  const app = await createApp(config, { log: silentLog, clock, random, version, host: '127.0.0.1', port: 0 })
  const made = await app.plan(MOST_SIMULATED)
  if (command.isJson) terminal.out(JSON.stringify(toJson(config, made), undefined, 2))
  else {
    terminal.out(`${command.path}: ${sizeOf(config)}`)
    for (const line of planLines(config, made, terminal)) terminal.out(line)
  }
  return EXIT.ok
}

/** The plan as JSON, in the names that its other surfaces use. */
function toJson({ deployments, general }: Config, { rows, budget, ...totals }: HealthPlan): unknown {
  return {
    background_health_checks: general.backgroundHealthChecks,
    health_check_interval: totals.intervalMs / 1000,
    totals: dayJson(totals),
    budget: {
      usd_per_day: budget.usdPerDay,
      cut: countJson(budget.cut),
    },
    deployments: rows.map((row, at) => ({
      ...namesOf(deployments[at]),
      usd_per_check: row.price,
      ...(row.unchecked !== undefined && { unchecked: row.unchecked }),
      ...dayJson(row),
    })),
  }
}

function dayJson({ idle, busy, liteLlm }: Pick<HealthPlan, 'idle' | 'busy' | 'liteLlm'>): object {
  return { idle: countJson(idle), busy: countJson(busy), litellm: countJson(liteLlm) }
}

function countJson({ probes, free, usd }: DayCount): object {
  return { probes: rounded(probes), free_looks: rounded(free), usd: Number(usd.toPrecision(6)) }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}

function namesOf(deployment: Deployment | undefined): object {
  if (deployment === undefined) return {}
  const { id, group, model } = deployment
  return { model_id: id, model_name: group, model, mode: shownMode(deployment) }
}
