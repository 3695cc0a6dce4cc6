import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHandClock } from '../core/clock.ts'
import { growth, growWithLoad } from './held-outside.ts'

const MB = 1024 * 1024

test('the pace is ours while bodies are held or a crowd is in flight, and V8’s own before, after and when it is stopped', () => {
  const clock = createHandClock()
  const asked: number[] = []
  let held = 4 * MB
  let inFlight = 100
  const own = { outsideBytes: () => held, growBy: (percent: number) => void asked.push(percent) }
  const stop = growWithLoad(clock, own, () => inFlight)
  const steps: readonly (readonly [number, readonly number[]])[] = [
    [16, []],
    [17, [300]],
    [500, [300]],
    [16, [300, 0]],
    [30, [300, 0, 300]],
  ]
  for (const [megabytes, expected] of steps) {
    held = megabytes * MB
    clock.wind(200)
    assert.deepEqual(asked, expected, `${megabytes} MB`)
  }
  held = 0
  clock.wind(200)
  inFlight = 101
  clock.wind(200)
  assert.deepEqual(asked, [300, 0, 300, 0, 300])
  stop()
  assert.deepEqual(asked, [300, 0, 300, 0, 300, 0])
  assert.equal(clock.pending(), 0)
})

test('a body counts as held outside of the heap, and V8 takes the pace while it runs', () => {
  const body = Buffer.allocUnsafeSlow(40 * MB)
  assert.ok(growth.outsideBytes() >= body.length, `${growth.outsideBytes()}`)
  growth.growBy(300)
  growth.growBy(0)
})
