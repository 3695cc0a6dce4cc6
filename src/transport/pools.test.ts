import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPools } from './pools.ts'

test('where there are too many origins, the one that was not used for longest is given up', async () => {
  const pools = createPools({ maxOrigins: 2, maxConnections: 1, connectTimeoutMs: 1000 })
  const [first, second] = [pools.of('http://a.test'), pools.of('http://b.test')]
  assert.equal(pools.of('http://a.test'), first)
  const third = pools.of('http://c.test')
  assert.equal(pools.of('http://a.test'), first)
  assert.equal(pools.of('http://c.test'), third)
  assert.notEqual(pools.of('http://b.test'), second)
  assert.equal(second.pool.closed, true)
  assert.equal(third.pool.closed, false)
  await pools.destroy()
})
