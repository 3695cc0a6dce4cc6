import { dirname, join } from 'node:path'
import { readConfig, readModel } from '../read-config.ts'
import type { Command } from './args.ts'
import { EXIT } from './exit-code.ts'
import { printNotActedOn, printProblems } from './problems.ts'
import { runGateway } from './run-gateway.ts'
import { saveMemory } from './save-memory.ts'
import type { Shell } from './shell.ts'
import { boundYoungGeneration, youngGeneration } from './young-generation.ts'

/** More lines than this push the address off the screen. */
const MOST_PROBLEMS = 100

/** `pulsegate config.yaml` and `pulsegate --model …`: says what is odd about the config and serves it. */
export async function serve(command: Extract<Command, { kind: 'serve' }>, shell: Shell): Promise<number> {
  const { terminal, env } = shell
  const stopAsked = shell.stopAsked()
  const spendMemory = saveMemory()
  const { source } = command
  const { config, problems } =
    source.kind === 'file' ? await readConfig(source.path, env) : await readModel(source, env)
  for (const note of command.notes) terminal.err(`${terminal.paintError('dim', 'note')}: ${note}`)
  printProblems(problems, terminal, MOST_PROBLEMS)
  if (config === undefined) return EXIT.refused
  printNotActedOn(config, terminal)
  const young = boundYoungGeneration(shell.clock, youngGeneration)
  return runGateway(config, shell, {
    address: command.address,
    isDebug: command.isDebug,
    defaultLogLevel: 'info',
    checksAtStart: false,
    ...historyFileOf(command),
    stopAsked,
    onListening: spendMemory,
    onBuilt: (app) => young.follow(() => app.inFlight()),
  }).finally(() => young.stop())
}

/** Beside the config, or where `--data-dir` says; one model on the command line leaves no file behind unasked. */
function historyFileOf({ source, dataDir }: Extract<Command, { kind: 'serve' }>): {
  readonly historyFile?: string
} {
  const folder = dataDir ?? (source.kind === 'file' ? dirname(source.path) : undefined)
  return folder === undefined ? {} : { historyFile: join(folder, 'pulsegate.db') }
}
