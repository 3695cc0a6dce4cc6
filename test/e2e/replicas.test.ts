import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as later } from 'node:timers/promises'
import type { FakeProvider } from '../../src/fake-provider/server.ts'
import { ask, at, chat, eventually, keysOf, SETTINGS, withStage } from './asking.ts'
import { freePort, type Gateway } from './program.ts'
import { probes, sharedConfig, sharedStatus, states, withFleet, type Member } from './replicas.ts'
import { IDLE, shared } from './replicas-agree.ts'
import { noRedis, startRedis, type StoreServer } from './stores.ts'

const redisOf = (server: StoreServer): Readonly<Record<string, string>> => ({ REDIS_URL: server.url })

/** The fake under four addresses, as if these were four machines. */
const hostsOf = (port: number): readonly Member[] =>
  Array.from({ length: 4 }, (_, n) => ({
    group: 'g',
    id: `h${n}`,
    base: `http://127.0.0.${n + 1}:${port}/v1`,
  }))

describe('replicas with a Redis that fails them', { skip: noRedis }, () => {
  test('a frozen, a killed and an emptied Redis change nothing for clients, and all come back to it', async () => {
    const server = await startRedis()
    try {
      const config = sharedConfig(IDLE, { intervalS: 2 })
      await withFleet(2, config, redisOf(server), async ({ gateways }) => {
        const all = async (isRight: (status: unknown) => boolean): Promise<void> => {
          for (const each of gateways) await eventually(() => sharedStatus(each), isRight, 30_000)
        }
        const served = async (): Promise<void> => {
          for (const each of gateways) {
            assert.equal((await chat(each, { model: 'g' })).status, 200)
            assert.equal((await ask(`${each.url}/readyz`)).status, 200)
          }
        }
        await all(shared('shared', 2))
        await server.signal('SIGSTOP')
        await served()
        await all((status) => at(status, 'status', 'phase') === 'alone')
        await served()
        await server.signal('SIGCONT')
        await all(shared('shared', 2))
        await server.restart()
        await served()
        await all(shared('shared', 2))
        // Both heard of each other again, and go on looking together.
        const commits = async (): Promise<number> => {
          const each = await Promise.all(gateways.map((gateway) => sharedStatus(gateway)))
          return each.reduce<number>((sum, status) => sum + Number(at(status, 'status', 'commits')), 0)
        }
        const before = await commits()
        await eventually(commits, (now) => now > before, 20_000)
      })
    } finally {
      await server.stop()
    }
  })

  test('a gateway that was paused for longer than its claim is refused its late verdict', async () => {
    const server = await startRedis()
    try {
      const members = [{ group: 'g', id: 'd', base: 'hang/v1', more: ', health_check_timeout: 1' }]
      await withFleet(
        2,
        sharedConfig(members, { intervalS: 2 }),
        redisOf(server),
        async ({ gateways, fake }) => {
          for (const each of gateways) await eventually(() => sharedStatus(each), shared('shared', 2), 20_000)
          // Whoever has a request on the wire is the one that looks.
          const holder = async (): Promise<(typeof gateways)[number] | undefined> => {
            for (const each of gateways) {
              const status = await sharedStatus(each)
              const owner = at(status, 'status', 'lock_owner')
              if (owner !== null && owner === at(status, 'status', 'pod_id')) return each
            }
            return undefined
          }
          const pause = async (): Promise<(typeof gateways)[number]> => {
            const paused = await eventually(holder, (found) => found !== undefined, 30_000)
            assert.ok(paused)
            paused.signal('SIGSTOP')
            const before = probes({ fake })
            // Its claim holds for eight seconds; then the other one looks.
            await eventually(
              () => probes({ fake }),
              (now) => now > before,
              30_000,
            )
            paused.signal('SIGCONT')
            return paused
          }
          // It may have been done just before it was stopped.
          let late = 0
          for (let tries = 0; late === 0 && tries < 4; tries++) {
            const paused = await pause()
            for (let looks = 0; late === 0 && looks < 30; looks++) {
              const status = await sharedStatus(paused)
              late =
                Number(at(status, 'status', 'commits_refused')) +
                Number(at(status, 'status', 'claims_too_late'))
              await later(100)
            }
          }
          assert.ok(late > 0)
        },
      )
    } finally {
      await server.stop()
    }
  })

  test('a gateway that reaches nobody changes nothing for the others', async () => {
    const server = await startRedis()
    try {
      let port = 0
      const config = (fake: FakeProvider): string => {
        ;({ port } = fake)
        return sharedConfig(hostsOf(port), { intervalS: 3 })(fake)
      }
      // A way out that leads nowhere, for one of them; the store is reached directly.
      const env = (n: number): Readonly<Record<string, string>> => ({
        ...redisOf(server),
        ...(n === 2 && { HTTP_PROXY: 'http://127.0.0.1:9', NO_PROXY: '<-loopback>' }),
      })
      await withFleet(3, config, env, async ({ gateways }) => {
        for (const each of gateways) await eventually(() => sharedStatus(each), shared('shared', 3), 20_000)
        const cut: Gateway[] = []
        for (const each of gateways)
          if ((await chat(each, { model: 'g', num_retries: 0 })).status !== 200) cut.push(each)
        const others = gateways.filter((each) => !cut.includes(each))
        assert.equal(cut.length, 1)
        const end = performance.now() + 12_000
        while (performance.now() < end) {
          for (const each of cut) await chat(each, { model: 'g', num_retries: 0 })
          for (const each of others)
            for (const [id, state] of await states(each))
              assert.ok(
                state !== 'DOWN' && state !== 'SUSPECT' && state !== 'MISCONFIGURED',
                `${id} is ${String(state)}`,
              )
          await later(200)
        }
        for (const each of others) assert.equal((await chat(each, { model: 'g' })).status, 200)
      })
    } finally {
      await server.stop()
    }
  })
})

describe('what a gateway says of its sharing', () => {
  const plain = (more: string): string =>
    `model_list:\n  - { model_name: g, litellm_params: { model: openai/gpt-4o, api_key: sk-x } }\n${SETTINGS}${more}`

  test('nothing is shared unless it is asked for', async () => {
    await withStage(plain(''), async ({ gateway }) => {
      const expected = { shared_health_check_enabled: false, message: 'Shared health check is not enabled' }
      assert.deepEqual(await sharedStatus(gateway), expected)
      assert.equal((await ask(`${gateway.url}/health/shared-status`)).status, 401)
    })
  })

  test('asked for and with nothing to share through, it says so', async () => {
    await withStage(plain('  use_shared_health_check: true\n'), async ({ gateway }) => {
      assert.deepEqual(await sharedStatus(gateway), {
        shared_health_check_enabled: true,
        redis_available: false,
        message: 'Redis is not configured',
      })
    })
  })

  test('a Redis that is not there keeps nobody from starting', async () => {
    const port = await freePort()
    const more = `  use_shared_health_check: true\n  coordination_redis: { host: 127.0.0.1, port: ${port}, password: canary-of-redis }\n`
    await withStage(plain(more), async ({ gateway }) => {
      assert.equal((await chat(gateway, { model: 'g' })).status, 200)
      assert.equal((await ask(`${gateway.url}/readyz`)).status, 200)
      const status = await eventually(
        () => sharedStatus(gateway),
        (now) => at(now, 'status', 'phase') === 'alone',
      )
      const ours = [
        'pod_id',
        'redis_available',
        'lock_ttl',
        'cache_ttl',
        'lock_owner',
        'lock_in_progress',
        'cache_available',
      ]
      assert.deepEqual(keysOf(at(status, 'status')).slice(0, ours.length), ours)
      assert.equal(at(status, 'status', 'redis_available'), false)
      assert.match(String(at(status, 'status', 'error')), /redis does not answer/)
      assert.ok(
        !`${gateway.stderr()}${gateway.stdout()}${JSON.stringify(status)}`.includes('canary-of-redis'),
      )
    })
  })
})
