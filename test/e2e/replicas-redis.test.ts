import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { at, chat, eventually } from './asking.ts'
import { replicasAgree, shared } from './replicas-agree.ts'
import { probes, sharedConfig, sharedStatus, states, withFleet, type Member } from './replicas.ts'
import { noRedis, startRedis, type StoreServer } from './stores.ts'

const redisOf = (server: StoreServer): Readonly<Record<string, string>> => ({ REDIS_URL: server.url })

describe('three replicas with Redis', { skip: noRedis }, () => replicasAgree(startRedis, redisOf))

describe('replicas whose config changes', { skip: noRedis }, () => {
  test('stay the replicas that they were: nobody is looked at twice, and whoever is new is looked at by one', async () => {
    const server = await startRedis()
    const old: readonly Member[] = [
      { group: 'g', id: 'old', base: 'old/v1' },
      { group: 'h', id: 'sick', base: 'e401/v1' },
    ]
    const more = { intervalS: 300 }
    const all = [{ group: 'n', id: 'new', base: 'new/v1' }, ...old]
    try {
      await withFleet(2, sharedConfig(old, more), redisOf(server), async ({ gateways, fake, folder }) => {
        const known = (seen: ReadonlyMap<string, unknown>): boolean =>
          seen.get('old') === 'HEALTHY' && seen.get('sick') === 'MISCONFIGURED'
        for (const each of gateways) {
          await eventually(() => sharedStatus(each), shared('shared', 2), 20_000)
          await eventually(() => states(each), known, 20_000)
        }
        const names = async () =>
          Promise.all(gateways.map(async (each) => at(await sharedStatus(each), 'status', 'pod_id')))
        const before = await names()
        const looks = fake.journal().length
        await writeFile(join(folder, 'config.yaml'), sharedConfig(all, more)(fake))
        for (const each of gateways) await each.seen(/"event":"config_reloaded"/)
        for (const each of gateways)
          await eventually(
            () => states(each),
            (seen) => seen.get('new') === 'HEALTHY' && known(seen),
            20_000,
          )
        assert.deepEqual(await names(), before)
        for (const each of gateways) assert.ok(shared('shared', 2)(await sharedStatus(each)))
        const asked = fake.journal().slice(looks)
        assert.deepEqual(
          asked.filter(({ url }) => !url.startsWith('/new/')).map(({ url }) => url),
          [],
          'whoever is known is not asked again',
        )
        assert.equal(probes({ fake }, 'new'), 1)

        // What one finds out from then on is told to the other.
        const [first, second] = gateways
        assert.ok(first && second)
        fake.order('old', 'e401')
        for (let sent = 0; sent < 2; sent += 1) await chat(first, { model: 'g' })
        await eventually(
          () => states(second),
          (seen) => seen.get('old') !== 'HEALTHY',
          20_000,
        )
      })
    } finally {
      await server.stop()
    }
  })
})
