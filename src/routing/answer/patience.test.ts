import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHandClock } from '../../core/clock.ts'
import { createPatience } from './patience.ts'

function begin(firstMs: number, idleMs: number, pingedMs = idleMs) {
  const clock = createHandClock()
  const expired: string[] = []
  const patience = createPatience(clock, { firstMs, idleMs, pingedMs }, (error, waitedMs) =>
    expired.push(`${error.kind} ${waitedMs}: ${error.message}`),
  )
  return { clock, expired, patience }
}

test('the first event may take its own time', () => {
  const { clock, expired, patience } = begin(500, 100)
  clock.wind(499)
  assert.deepEqual(expired, [])
  clock.wind(1)
  assert.deepEqual(expired, ['timeout 500: no first event within 500 ms'])
  patience.stop()
  assert.equal(clock.pending(), 0)
})

test('after it each event begins the wait anew, with one timer', () => {
  const { clock, expired, patience } = begin(500, 100)
  clock.wind(400)
  for (let events = 0; events < 20; events++) {
    patience.heard()
    assert.equal(clock.pending(), 1)
    clock.wind(60)
  }
  assert.deepEqual(expired, [])
  clock.wind(39)
  assert.deepEqual(expired, [])
  clock.wind(1)
  assert.deepEqual(expired, ['timeout 100: no event for 100 ms within the stream'])
  clock.wind(10_000)
  assert.equal(expired.length, 1)
})

test('a client that takes nothing is not waited for, and its stream has all the time anew', () => {
  const { clock, expired, patience } = begin(500, 100)
  patience.heard()
  patience.paused()
  clock.wind(5_000)
  patience.resumed()
  clock.wind(99)
  assert.deepEqual(expired, [])
  clock.wind(101)
  assert.equal(expired.length, 1)
})

test('an end leaves nothing behind', () => {
  const { clock, patience } = begin(500, 100)
  patience.heard()
  patience.stop()
  assert.equal(clock.pending(), 0)
})

test('pings hold a stream that has begun, up to a bound, and begin none', () => {
  const { clock, expired, patience } = begin(500, 100, 1_000)
  for (let waited = 0; waited < 500; waited += 50) {
    patience.heard('life')
    clock.wind(50)
  }
  assert.deepEqual(expired, ['timeout 500: no first event within 500 ms'])
  const held = begin(500, 100, 1_000)
  held.patience.heard('event')
  for (let waited = 0; waited < 950; waited += 50) {
    held.patience.heard('life')
    held.clock.wind(50)
  }
  assert.deepEqual(held.expired, [])
  held.patience.heard('event')
  for (let waited = 0; waited < 1_000; waited += 50) {
    held.patience.heard('life')
    held.clock.wind(50)
  }
  assert.deepEqual(held.expired, ['timeout 1000: no event for 1000 ms within the stream'])
  const left = begin(500, 100, 1_000)
  left.patience.heard()
  left.patience.heard('life')
  left.clock.wind(100)
  assert.deepEqual(left.expired, ['timeout 100: no event for 100 ms within the stream'])
})
