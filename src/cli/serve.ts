import { dirname, join } from 'node:path'
import type { Loaded } from '../config/config.ts'
import type { Cancel } from '../core/clock.ts'
import { readConfigFiles, readModel } from '../read-config.ts'
import type { Command } from './args.ts'
import { collectInRest, type Traffic } from './collect-garbage.ts'
import { EXIT } from './exit-code.ts'
import { growth, growWithLoad } from './held-outside.ts'
import { hearReloads, type ConfigFile } from './keep-reading.ts'
import { printNotActedOn, printProblems } from './problems.ts'
import { runGateway } from './run-gateway.ts'
import { saveMemory } from './save-memory.ts'
import type { Shell } from './shell.ts'
import { tuneV8 } from './tune-v8.ts'
import { boundYoungGeneration, youngGeneration } from './young-generation.ts'

/** More lines than this push the address off the screen. */
const MOST_PROBLEMS = 100

/** `pulsegate config.yaml` and `pulsegate --model …`: says what is odd about the config and serves it. */
export async function serve(command: Extract<Command, { kind: 'serve' }>, shell: Shell): Promise<number> {
  const { terminal } = shell
  const stopAsked = shell.stopAsked()
  const signals = command.source.kind === 'file' ? hearReloads(shell) : undefined
  tuneV8()
  const { source } = command
  const spendMemory = saveMemory(source.kind === 'file' ? source.path : undefined)
  const { config, problems, file } = await read(source, shell.env)
  for (const note of command.notes) terminal.err(`${terminal.paintError('dim', 'note')}: ${note}`)
  printProblems(problems, terminal, MOST_PROBLEMS)
  if (config === undefined) return EXIT.refused
  printNotActedOn(config, terminal)
  const young = boundYoungGeneration(shell.clock, youngGeneration)
  let traffic: Traffic = { inFlight: () => 0, begun: () => 0 }
  let stopGrowing: Cancel = () => {}
  let stopCollecting: Cancel = () => {}
  return runGateway(config, shell, {
    address: command.address,
    isDebug: command.isDebug,
    defaultLogLevel: 'info',
    checksAtStart: false,
    ...historyFileOf(command),
    ...(file !== undefined && signals !== undefined && { file: { ...file, signals } }),
    stopAsked,
    onListening: () => {
      // Until now the pace was that of reading.
      spendMemory()
      stopGrowing = growWithLoad(shell.clock, growth, () => traffic.inFlight())
      if (shell.isTuned) stopCollecting = collectInRest(shell.clock, traffic)
    },
    onBuilt: (app) => {
      traffic = app
      young.follow(() => app.inFlight())
    },
  }).finally(() => {
    stopCollecting()
    stopGrowing()
    young.stop()
    signals?.stop()
  })
}

/** Beside the config, or where `--data-dir` says; one model on the command line leaves no file behind unasked. */
function historyFileOf({ source, dataDir }: Extract<Command, { kind: 'serve' }>): {
  readonly historyFile?: string
} {
  const folder = dataDir ?? (source.kind === 'file' ? dirname(source.path) : undefined)
  return folder === undefined ? {} : { historyFile: join(folder, 'pulsegate.db') }
}

/** What a gateway is served from; a file with what it takes to have it read again. */
async function read(
  source: Extract<Command, { kind: 'serve' }>['source'],
  env: Shell['env'],
): Promise<Loaded & { readonly file?: ConfigFile }> {
  if (source.kind !== 'file') return readModel(source, env)
  const { files, ...loaded } = await readConfigFiles(source.path, env)
  return { ...loaded, file: { path: source.path, files } }
}
