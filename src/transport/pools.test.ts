import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../core/clock.ts'
import { createConnector } from './connect.ts'
import { createPools } from './pools.ts'

const proxyOf = (): undefined => undefined
const connector = createConnector({
  clock: systemClock,
  connectTimeoutMs: 1000,
  trust: { isVerified: true },
  proxyOf,
})

test('where there are too many origins, the one that was not used for longest is given up', async () => {
  const deps = { connector, proxyOf, elapsed: () => 0 }
  const pools = createPools({ maxOrigins: 2, maxConnections: 1, maxAgeMs: 1000 }, deps)
  const [first, second] = [pools.of('http://a.test'), pools.of('http://b.test')]
  assert.equal(pools.of('http://a.test'), first)
  const third = pools.of('http://c.test')
  assert.equal(pools.of('http://a.test'), first)
  assert.equal(pools.of('http://c.test'), third)
  assert.notEqual(pools.of('http://b.test'), second)
  await pools.destroy()
})
