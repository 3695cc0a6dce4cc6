import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRecentLag } from './recent-lag.ts'

test('one stall is no lag, two within ten seconds are, and they are forgotten', () => {
  const lag = createRecentLag()
  assert.equal(lag.p99Ms(), 0)
  lag.saw(900)
  assert.equal(lag.p99Ms(), 0)
  lag.saw(300)
  assert.equal(lag.p99Ms(), 300)
  for (let looks = 0; looks < 99; looks += 1) lag.saw(1)
  assert.equal(lag.p99Ms(), 1)
})
