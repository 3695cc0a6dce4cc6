import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHandClock } from '../core/clock.ts'
import { growth, growWithBodies } from './held-outside.ts'

const MB = 1024 * 1024

test('the pace is ours while bodies are held, and V8’s own before, after and when it is stopped', () => {
  const clock = createHandClock()
  const asked: number[] = []
  let held = 4 * MB
  const stop = growWithBodies(clock, {
    outsideBytes: () => held,
    growBy: (percent) => void asked.push(percent),
  })
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
  stop()
  assert.deepEqual(asked, [300, 0, 300, 0])
  assert.equal(clock.pending(), 0)
})

test('a body counts as held outside of the heap, and V8 takes the pace while it runs', () => {
  const body = Buffer.allocUnsafeSlow(40 * MB)
  assert.ok(growth.outsideBytes() >= body.length, `${growth.outsideBytes()}`)
  growth.growBy(300)
  growth.growBy(0)
})
