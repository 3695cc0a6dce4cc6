import type { Config } from '../config/config.ts'
import { formatProblem, type Problem, type Severity } from '../config/problem.ts'
import { oneLine, type Terminal, type Tone } from './terminal.ts'

const TONES: Readonly<Record<Severity, Tone>> = { fatal: 'bad', error: 'bad', warning: 'wait', note: 'dim' }

/** Prints what is wrong with a config on stderr, one line each, and how many lines were left out, if any. */
export function printProblems(
  problems: readonly Problem[],
  { err, paintError }: Terminal,
  most = Number.POSITIVE_INFINITY,
): void {
  for (const problem of problems.slice(0, most))
    err(`${paintError(TONES[problem.severity], problem.severity)}: ${oneLine(formatProblem(problem))}`)
  if (problems.length > most) err(`… and ${problems.length - most} more: pulsegate check shows them all`)
}

/** Says which settings are known but have no effect, one line each. */
export function printNotActedOn(config: Config, { err, paintError }: Terminal): void {
  for (const path of config.notActedOn)
    err(`${paintError('dim', 'note')}: ${oneLine(path)} is known, but not acted on yet`)
}

/** `2 errors, 1 note`, worst first; empty where there is nothing to count. */
export function countProblems(problems: readonly Problem[]): string {
  const severities: readonly Severity[] = ['fatal', 'error', 'warning', 'note']
  return severities
    .map((severity) => ({ severity, count: problems.filter((one) => one.severity === severity).length }))
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) => counted(count, severity === 'fatal' ? 'fatal error' : severity))
    .join(', ')
}

/** `3 deployments in 1 model group` */
export function sizeOf({ deployments }: Config): string {
  const groups = new Set(deployments.map(({ group }) => group)).size
  return `${counted(deployments.length, 'deployment')} in ${counted(groups, 'model group')}`
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
