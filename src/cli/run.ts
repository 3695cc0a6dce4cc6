import { parseArgs, type Command } from './args.ts'
import { EXIT } from './exit-code.ts'
import { helpText } from './options.ts'
import type { Shell } from './shell.ts'

/**
 * Does what the command line asks and gives the exit code. Commands are imported when they are asked for, so
 * that `--version` does not wait for a web server to load.
 */
export async function run(argv: readonly string[], shell: Shell): Promise<number> {
  return runCommand(parseArgs(argv, shell.env), shell)
}

async function runCommand(command: Command, shell: Shell): Promise<number> {
  const { terminal } = shell
  switch (command.kind) {
    case 'help':
      terminal.out(helpText())
      return EXIT.ok
    case 'version':
      terminal.out(`pulsegate ${shell.version}`)
      return EXIT.ok
    case 'misused':
      terminal.err(`pulsegate: ${command.message}\nTry pulsegate --help.`)
      return EXIT.refused
    case 'check': {
      const { checkConfig } = await import('./check-config.ts')
      return checkConfig(command, shell)
    }
    case 'plan': {
      const { plan } = await import('./plan.ts')
      return plan(command, shell)
    }
    case 'check-live': {
      const { checkLive } = await import('./check-live.ts')
      return checkLive(command, shell)
    }
    case 'show': {
      const { showHealth } = await import('./show-health.ts')
      return showHealth(command, shell)
    }
    case 'explain': {
      const { explain } = await import('./explain.ts')
      return explain(command, shell)
    }
    case 'health': {
      const { health } = await import('./health.ts')
      return health(command, shell)
    }
    case 'demo': {
      const { demo } = await import('./demo.ts')
      return demo(command, shell)
    }
    case 'serve': {
      shell.tune()
      const { serve } = await import('./serve.ts')
      return serve(command, shell)
    }
  }
}
