import { readConfig } from '../read-config.ts'
import type { Problem } from '../config/problem.ts'
import type { Command } from './args.ts'
import { EXIT } from './exit-code.ts'
import { countProblems, printNotActedOn, printProblems, sizeOf } from './problems.ts'
import type { Shell } from './shell.ts'

/**
 * `pulsegate check FILE`: prints every problem of a config and starts nothing. Refuses what would not start;
 * with --strict also what would start with an error or a warning.
 */
export async function checkConfig(
  command: Extract<Command, { kind: 'check' }>,
  { terminal, env }: Shell,
): Promise<number> {
  const { config, problems } = await readConfig(command.path, env)
  printProblems(problems, terminal)
  const found = countProblems(problems)
  if (config === undefined || (command.isStrict && problems.some(failsStrictly))) {
    terminal.err(`${command.path}: refused, ${found}`)
    return EXIT.refused
  }
  printNotActedOn(config, terminal)
  const size = sizeOf(config)
  terminal.out(`${command.path}: ${found === '' ? `OK, ${size}` : `starts with ${size}, but has ${found}`}`)
  return EXIT.ok
}

function failsStrictly({ severity }: Problem): boolean {
  return severity !== 'note'
}
