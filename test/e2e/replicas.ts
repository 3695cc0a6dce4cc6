import { startFakeProvider, type FakeProvider } from '../../src/fake-provider/server.ts'
import { ask, at, AUTH, listAt } from './asking.ts'
import { startGateway, withFolder, type Gateway } from './program.ts'

/** Several gateways of one config, with one fake provider behind them all. */
export interface Fleet {
  readonly gateways: readonly Gateway[]
  readonly fake: FakeProvider
  /** Where their config is. */
  readonly folder: string
}

/** A deployment: its group, its id, and where it is at the fake. */
export interface Member {
  readonly group: string
  readonly id: string
  readonly base: string
  readonly more?: string
}

/** A config with background checks, whose replicas share them. */
export function sharedConfig(
  members: readonly Member[],
  { intervalS, more = '' }: { readonly intervalS: number; readonly more?: string },
): (fake: FakeProvider) => string {
  return ({ port }) =>
    `model_list:\n${members
      .map(
        ({ group, id, base, more: info = '' }) =>
          `  - model_name: ${group}\n` +
          `    litellm_params: { model: openai/gpt-4o, api_base: '${base.startsWith('http') ? base : `http://127.0.0.1:${port}/${base}`}', api_key: sk-up }\n` +
          `    model_info: { id: ${id}${info} }\n`,
      )
      .join('')}` +
    `general_settings:\n  master_key: sk-1234\n  drain_delay: 0\n  background_health_checks: true\n` +
    `  health_check_interval: ${intervalS}\n  use_shared_health_check: true\n${more}`
}

/** Starts so many gateways, and ends all of them after `use`, paused or not. */
export async function withFleet(
  count: number,
  config: (fake: FakeProvider) => string,
  env: Readonly<Record<string, string>> | ((at: number) => Readonly<Record<string, string>>),
  use: (fleet: Fleet) => Promise<void>,
): Promise<void> {
  // At each address of the loopback: to a gateway these are hosts of their own.
  const fake = await startFakeProvider({ host: '0.0.0.0' })
  const gateways: Gateway[] = []
  try {
    await withFolder({ 'config.yaml': config(fake) }, async (cwd) => {
      const args = ['config.yaml', '--host', '127.0.0.1', '--port', '0']
      try {
        const starts = Array.from({ length: count }, async (_, at) => {
          const own = typeof env === 'function' ? env(at) : env
          gateways.push(await startGateway(args, { cwd, env: own }))
        })
        await Promise.all(starts)
        await use({ gateways, fake, folder: cwd })
      } finally {
        for (const gateway of gateways) gateway.signal('SIGCONT')
        await Promise.all(gateways.map((gateway) => gateway.stop(5_000)))
      }
    })
  } finally {
    await fake.stop()
  }
}

/** The state of each deployment as one gateway sees it, by id. */
export async function states(gateway: Gateway): Promise<ReadonlyMap<string, unknown>> {
  const { json } = await ask(`${gateway.url}/health`, { headers: AUTH })
  const lists = ['healthy_endpoints', 'unhealthy_endpoints', 'unknown_endpoints']
  const entries = lists.flatMap((list) => listAt(json, list))
  return new Map(
    entries.map((entry) => [String(at(entry, 'model_id')), at(entry, 'health_state') ?? 'UNKNOWN']),
  )
}

/** What one gateway says of its sharing. */
export async function sharedStatus(gateway: Gateway): Promise<unknown> {
  return (await ask(`${gateway.url}/health/shared-status`, { headers: AUTH })).json
}

/** Requests of ours that asked for an answer, so far, at one path of the fake or at all of them. */
export function probes({ fake }: Pick<Fleet, 'fake'>, segment = ''): number {
  return fake.journal().filter(({ method, url }) => method === 'POST' && url.startsWith(`/${segment}`)).length
}
