import { readConfigText } from '../read-config.ts'
import type { Cancel } from '../core/clock.ts'
import type { Command } from './args.ts'
import { startDemoTraffic, type DemoTraffic } from './demo-traffic.ts'
import { EXIT } from './exit-code.ts'
import { showLiveTable, type Watched } from './live-table.ts'
import { printProblems } from './problems.ts'
import { runGateway } from './run-gateway.ts'
import type { Shell } from './shell.ts'
import { DEMO_TRAFFIC, demoBehaviours, demoConfig } from '../fake-provider/demo.ts'
import { startFakeProvider } from '../fake-provider/server.ts'

/**
 * `pulsegate demo`: a fake provider, some of whose models are sick, a gateway in front of it, a little traffic through
 * both, and a table of where every deployment stands.
 */
export async function demo(command: Extract<Command, { kind: 'demo' }>, shell: Shell): Promise<number> {
  const { terminal } = shell
  const stopAsked = shell.stopAsked()
  const fake = await startFakeProvider({ models: demoBehaviours })
  let stopShow: Cancel = () => {}
  const endShow = (): void => {
    stopShow()
    stopShow = () => {}
  }
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
      stopAsked: stopAsked.finally(endShow),
      onChecked: (url, watched) => {
        terminal.out(linesToTry(url, key, fake.url))
        const target = command.hasTraffic ? { url, key } : undefined
        // The last of the first verdicts is still being told to those who listen.
        stopShow = shell.clock.after(0, () => {
          stopShow = startShow(target, watched, shell)
        })
      },
    })
  } finally {
    endShow()
    await fake.stop()
  }
}

/** The live table, and the traffic where some is wanted. */
function startShow(
  target: { readonly url: string; readonly key: string } | undefined,
  watched: Watched,
  shell: Shell,
): Cancel {
  const { everyMs, models } = DEMO_TRAFFIC
  const traffic = target && startDemoTraffic({ ...target, models, everyMs }, shell.clock)
  const stopTable = showLiveTable(watched, shell, { footer: () => trafficLine(traffic) })
  return () => {
    traffic?.stop()
    stopTable()
  }
}

function trafficLine(traffic: DemoTraffic | undefined): string {
  if (traffic === undefined) return 'demo traffic: none'
  const { answered, failed, lastFailure } = traffic.numbers()
  const { everyMs, models } = DEMO_TRAFFIC
  const what = `${1000 / everyMs} requests/s to ${models.join(', ')}`
  return `demo traffic: ${what}; ${answered} answered, ${failed} failed${lastFailure === undefined ? '' : ` (${lastFailure})`}`
}

function linesToTry(url: string, key: string, fakeUrl: string): string {
  const auth = `-H "Authorization: Bearer ${key}"`
  const body = `'{"model": "gpt-4o", "messages": [{"role": "user", "content": "ping"}]}'`
  return [
    '',
    'Try it:',
    `  curl ${url}/health ${auth}`,
    `  curl ${url}/health/readiness`,
    `  curl ${url}/v1/chat/completions ${auth} -H "Content-Type: application/json" -d ${body}`,
    `  curl ${url}/health/groups/gpt-4o ${auth}`,
    'Break one model, see the table, and heal it:',
    `  curl ${fakeUrl}/__set/gpt-4o/e500`,
    `  curl ${fakeUrl}/__set/gpt-4o/${demoBehaviours['gpt-4o']}`,
    '',
    'Ctrl-C ends the demo.',
  ].join('\n')
}
