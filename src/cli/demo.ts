import { readConfigText } from '../read-config.ts'
import type { Command } from './args.ts'
import { EXIT } from './exit-code.ts'
import { printProblems } from './problems.ts'
import { runGateway } from './run-gateway.ts'
import type { Shell } from './shell.ts'
import { demoBehaviours, demoConfig } from '../fake-provider/demo.ts'
import { startFakeProvider } from '../fake-provider/server.ts'

/** `pulsegate demo`: a fake provider, some of whose models are sick, and a gateway in front of it. */
export async function demo(command: Extract<Command, { kind: 'demo' }>, shell: Shell): Promise<number> {
  const { terminal } = shell
  const stopAsked = shell.stopAsked()
  const fake = await startFakeProvider({ models: demoBehaviours })
  try {
    const { config, problems } = await readConfigText('demo.yaml', demoConfig(fake.url))
    printProblems(problems, terminal)
    if (config === undefined) return EXIT.bug
    const key = config.general.masterKey?.reveal() ?? ''
    // Nobody balances load over a demo, so ctrl-C does not wait for anyone to notice.
    return await runGateway({ ...config, general: { ...config.general, drainDelayMs: 0 } }, shell, {
      address: command.address,
      isDebug: command.isDebug,
      defaultLogLevel: 'error',
      checksAtStart: true,
      stopAsked,
      onChecked: (url) =>
        terminal.out(`\nTry it:\n${curlLines(url, key).join('\n')}\n\nCtrl-C ends the demo.`),
    })
  } finally {
    await fake.stop()
  }
}

function curlLines(url: string, key: string): readonly string[] {
  const auth = `-H "Authorization: Bearer ${key}"`
  const body = `'{"model": "gpt-4o", "messages": [{"role": "user", "content": "ping"}]}'`
  return [
    `  curl ${url}/health ${auth}`,
    `  curl ${url}/health/readiness`,
    `  curl ${url}/v1/chat/completions ${auth} -H "Content-Type: application/json" -d ${body}`,
  ]
}
