import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHandClock } from '../core/clock.ts'
import { boundYoungGeneration, youngGeneration } from './young-generation.ts'

const MB = 1024 * 1024

/** A young generation that is as large as it is told to be, and what it was asked for. */
function createYoung() {
  const asked: number[] = []
  let size = 2 * MB
  return {
    asked,
    become: (megabytes: number) => {
      size = megabytes * MB
    },
    young: { sizeBytes: () => size, growBy: (factor: number) => void asked.push(factor) },
  }
}

test('the young generation grows to its bound, stays, and may grow again after it shrank', () => {
  const clock = createHandClock()
  const { young, asked, become } = createYoung()
  const bound = boundYoungGeneration(clock, young)
  const steps: readonly (readonly [number, readonly number[]])[] = [
    [8, [8, 2]],
    [16, [8, 2, 1]],
    [16, [8, 2, 1]],
    [2, [8, 2, 1, 8]],
    [32, [8, 2, 1, 8, 1]],
  ]
  for (const [megabytes, expected] of steps) {
    become(megabytes)
    clock.wind(200)
    assert.deepEqual(asked, expected)
  }
  let inFlight = 100
  bound.follow(() => inFlight)
  clock.wind(200)
  assert.deepEqual(asked.at(-1), 1, 'a hundred requests are no crowd')
  inFlight = 101
  clock.wind(200)
  assert.deepEqual(asked.at(-1), 2)
  inFlight = 0
  clock.wind(200)
  assert.deepEqual(asked.at(-1), 1)
  bound.stop()
  assert.deepEqual(asked.at(-1), 2)
  assert.equal(clock.pending(), 0)
})

/** Makes so many things that last, and with them the young generation as large as it may become. */
function fill(): number {
  return Array.from({ length: 400_000 }, (_, at) => ({ at })).length
}

test('V8 takes the pace of growth while it runs', () => {
  // From a very small one V8 takes a step or two at any pace.
  fill()
  youngGeneration.growBy(1)
  const before = youngGeneration.sizeBytes()
  fill()
  const after = youngGeneration.sizeBytes()
  youngGeneration.growBy(2)
  assert.ok(before > 0)
  assert.ok(after <= before * 2, `${before} → ${after}`)
})
