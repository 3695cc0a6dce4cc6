import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { createSlidingCount } from './sliding-count.ts'

test('the wait is exact: a moment before it is over there are too many, and then there are not', () => {
  const step = fc.record({ afterMs: fc.nat(3000), amount: fc.nat(9) })
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), fc.nat(40), (steps, most) => {
      const make = (): { count: ReturnType<typeof createSlidingCount>; now: number } => {
        const count = createSlidingCount(10_000, 5)
        let now = 0
        for (const { afterMs, amount } of steps) {
          now += afterMs
          count.add(now, amount)
        }
        return { count, now }
      }
      const { count, now } = make()
      const waitMs = count.waitMs(now, most)
      assert.ok(waitMs >= 0 && waitMs <= 10_000)
      assert.equal(waitMs === 0, count.total(now) <= most)
      if (waitMs === 0) return
      assert.ok(count.total(now + waitMs - 1) > most)
      assert.ok(count.total(now + waitMs) <= most)
    }),
  )
})

test('what can never be is waited for as long as anything is remembered', () => {
  const count = createSlidingCount(10_000, 5)
  assert.equal(count.waitMs(0, -1), 10_000)
})
