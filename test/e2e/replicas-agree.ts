import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as later } from 'node:timers/promises'
import { at, chat, eventually } from './asking.ts'
import { probes, sharedConfig, sharedStatus, states, withFleet, type Member } from './replicas.ts'
import type { StoreServer } from './stores.ts'

/** Nobody asks for it, and each answer takes long enough for two to meet. */
export const IDLE: readonly Member[] = [{ group: 'g', id: 'd', base: 'slow200/v1' }]

/** Tells a status in which so many replicas share what they find. */
export const shared = (phase: string, replicas: number) => (status: unknown) =>
  at(status, 'status', 'phase') === phase && at(status, 'status', 'replicas') === replicas

async function probesIn(count: number, env: Readonly<Record<string, string>>, ms: number): Promise<number> {
  let seen = 0
  await withFleet(
    count,
    sharedConfig(IDLE, { intervalS: 2, more: '  health_check_strategy: always\n' }),
    env,
    async (fleet) => {
      const [first] = fleet.gateways
      assert.ok(first)
      await eventually(() => sharedStatus(first), shared('shared', count), 20_000)
      await eventually(
        () => probes(fleet),
        (number) => number > 0,
        20_000,
      )
      const before = probes(fleet)
      await later(ms)
      seen = probes(fleet) - before
      assert.ok(fleet.fake.traffic('slow200').maxInFlight <= 1, 'two replicas looked at the same time')
    },
  )
  return seen
}

/** What three replicas must do over any store; `start` brings up one of their own. */
export function replicasAgree(
  start: () => Promise<StoreServer>,
  envOf: (server: StoreServer) => Readonly<Record<string, string>>,
): void {
  test('look as often as one alone', async () => {
    // Each has a store of its own, so that both can be counted in the same seconds.
    const servers = await Promise.all([start(), start()])
    try {
      const [one = 0, three = 0] = await Promise.all(
        servers.map((server, at) => probesIn(at === 0 ? 1 : 3, envOf(server), 12_000)),
      )
      assert.ok(Math.abs(three - one) <= 1, `${three} probes of three, ${one} of one`)
    } finally {
      await Promise.all(servers.map((server) => server.stop()))
    }
  })

  test('act within a second on an outage that only one of them has met', async () => {
    const server = await start()
    const members = [
      { group: 'g', id: 'sick', base: 'sick/v1', more: ', order: 1' },
      { group: 'g', id: 'well', base: 'well/v1', more: ', order: 2' },
    ]
    try {
      await withFleet(
        3,
        sharedConfig(members, { intervalS: 300 }),
        envOf(server),
        async ({ gateways, fake }) => {
          const [a, ...others] = gateways
          assert.ok(a)
          for (const each of gateways) {
            await eventually(() => sharedStatus(each), shared('shared', 3), 20_000)
            await eventually(
              () => states(each),
              (all) => all.get('sick') === 'HEALTHY',
              20_000,
            )
          }
          fake.order('sick', 'e500')
          const isBad = (all: ReadonlyMap<string, unknown>): boolean => all.get('sick') === 'DOWN'
          for (let sent = 0; !isBad(await states(a)); sent += 1) {
            assert.ok(sent < 400)
            await later(50)
            await chat(a, { model: 'g', messages: [{ role: 'user', content: `ping ${sent}` }] })
          }
          const startedAt = performance.now()
          for (const each of others)
            await eventually(
              () => states(each),
              (all) => all.get('sick') === 'DOWN' || all.get('sick') === 'SUSPECT',
              1_000,
            )
          assert.ok(performance.now() - startedAt < 1_000)
          for (const each of others) await eventually(() => states(each), isBad, 10_000)
          const before = probes({ fake }, 'sick')
          for (const each of others) assert.equal((await chat(each, { model: 'g' })).status, 200)
          assert.ok(probes({ fake }, 'sick') - before <= 1)
          fake.order('sick', 'ok')
          for (const each of gateways)
            await eventually(
              () => states(each),
              (all) => all.get('sick') !== 'DOWN',
              40_000,
            )
        },
      )
    } finally {
      await server.stop()
    }
  })
}
