import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { createDueQueue } from './due-queue.ts'
import { firstDelayMs, nextDue } from './schedule.ts'

const HOUR = 3_600_000
const EVERY_5_S = { intervalMs: 5_000 }
const UNWRITTEN = {}
const PAST = { startedAt: 0, endedAt: 100, healthyRun: 1 }

test('a written interval is kept, whatever the health', () => {
  assert.equal(nextDue(PAST, EVERY_5_S, 0), 5_000)
  assert.equal(nextDue({ ...PAST, healthyRun: 50 }, EVERY_5_S, 0), 5_000)
  assert.equal(nextDue({ ...PAST, healthyRun: 0 }, EVERY_5_S, 0), 5_000)
})

test('jitter checks up to a tenth early and never late', () => {
  assert.equal(nextDue(PAST, EVERY_5_S, 0.5), 4_750)
})

test('without an interval an idle healthy deployment is asked ever less often, an hour apart at most', () => {
  const waits = [0, 1, 2, 3, 4, 5, 6, 100].map((healthyRun) => nextDue({ ...PAST, healthyRun }, UNWRITTEN, 0))
  assert.deepEqual(waits, [300_000, 300_000, 600_000, 1_200_000, 2_400_000, HOUR, HOUR, HOUR])
})

test('a check longer than the interval is followed at once, never overlapped', () => {
  assert.equal(nextDue({ ...PAST, endedAt: 60_000 }, EVERY_5_S, 0), 60_000)
})

test('nobody is asked inside a Retry-After', () => {
  assert.equal(nextDue({ ...PAST, waitUntil: 42_000 }, EVERY_5_S, 0), 42_000)
})

test('the first cycle is at once for a few deployments and spread for many', () => {
  assert.ok(firstDelayMs('id-a', 2, EVERY_5_S) < 10)
  assert.ok(firstDelayMs('id-a', 10_000, EVERY_5_S) < 2_500)
  const places = new Set(
    Array.from({ length: 1_000 }, (_, n) => Math.floor(firstDelayMs(`id-${n}`, 10_000, UNWRITTEN) / 500)),
  )
  assert.equal(places.size, 10)
})

test('nobody starves and nobody is asked earlier than allowed', () => {
  const pasts = fc.record({ startedAt: fc.nat(1e9), tookMs: fc.nat(70_000), healthyRun: fc.nat(1_000) })
  const timings = fc.record({ intervalMs: fc.integer({ min: 1_000, max: 10 * HOUR }) }, { requiredKeys: [] })
  const rolls = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(pasts, timings, rolls, ({ startedAt, tookMs, healthyRun }, timing, roll) => {
      const endedAt = startedAt + tookMs
      const due = nextDue({ startedAt, endedAt, healthyRun }, timing, roll)
      assert.ok(due >= endedAt)
      assert.ok(due >= startedAt + 0.9 * (timing.intervalMs ?? 300_000))
      assert.ok(due <= Math.max(endedAt, startedAt + (timing.intervalMs ?? HOUR)))
    }),
  )
})

test('the queue gives back everything, earliest first', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000)), (times) => {
      const queue = createDueQueue()
      for (const [index, at] of times.entries()) queue.push({ index, at })
      const out: number[] = []
      for (let due = queue.pop(); due !== undefined; due = queue.pop()) out.push(due.at)
      assert.deepEqual(
        out,
        times.toSorted((a, b) => a - b),
      )
      assert.equal(queue.peek(), undefined)
    }),
  )
})
