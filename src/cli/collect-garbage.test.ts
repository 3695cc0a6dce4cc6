import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createHandClock } from '../core/clock.ts'
import { collectInRest, ownHeap, type Traffic } from './collect-garbage.ts'

const MB = 1024 * 1024
const NOBODY: Traffic = { inFlight: () => 0, begun: () => 7 }

/** A heap of so many MB, of which a third is left when it is collected. */
function heapOf(megabytes: number) {
  const heap = { used: megabytes * MB, collections: 0 }
  return Object.assign(heap, {
    usedBytes: () => heap.used,
    collect: () => {
      heap.collections++
      heap.used /= 3
    },
  })
}

test('what a large start has left behind is collected once, and later on only what is worth it', () => {
  const clock = createHandClock()
  const heap = heapOf(150)
  collectInRest(clock, NOBODY, heap)
  assert.equal(heap.collections, 0)
  clock.wind(1_000)
  assert.equal(heap.collections, 1)
  clock.wind(60_000)
  assert.equal(heap.collections, 1)
  heap.used += 100 * MB
  clock.wind(15_000)
  assert.equal(heap.collections, 2)
})

test('a small heap is left alone, and a large one while somebody is being served', () => {
  const clock = createHandClock()
  const [small, served] = [heapOf(40), heapOf(150)]
  let inFlight = 1
  collectInRest(clock, NOBODY, small)
  collectInRest(clock, { ...NOBODY, inFlight: () => inFlight }, served)
  clock.wind(30_000)
  assert.deepEqual([small.collections, served.collections], [0, 0])
  inFlight = 0
  clock.wind(15_000)
  assert.deepEqual([small.collections, served.collections], [0, 1])
})

test('between two of many short requests nothing is collected', () => {
  const clock = createHandClock()
  const heap = heapOf(150)
  let looks = 0
  collectInRest(clock, { ...NOBODY, inFlight: () => (++looks % 6 === 0 ? 1 : 0) }, heap)
  clock.wind(60_000)
  assert.equal(heap.collections, 0)
})

test('where each request is over before it is looked, nothing is collected while they come', () => {
  const clock = createHandClock()
  const heap = heapOf(150)
  let perMs = 0.05
  collectInRest(clock, { inFlight: () => 0, begun: () => Math.floor(clock.now() * perMs) }, heap)
  clock.wind(60_000)
  assert.equal(heap.collections, 0)
  perMs = 0
  clock.wind(15_000)
  assert.equal(heap.collections, 1)
})

test('a gateway that ends has nothing collected any more', () => {
  const clock = createHandClock()
  const heap = heapOf(150)
  collectInRest(clock, NOBODY, heap)()
  clock.wind(60_000)
  assert.equal(heap.collections, 0)
  assert.equal(clock.pending(), 0)
})

test('the heap of this process lets go of what nobody holds', async () => {
  const left = new WeakRef({ garbage: 'x'.repeat(100) })
  // What was made is held until this turn is over.
  await nextTurn()
  ownHeap().collect()
  await nextTurn()
  assert.equal(left.deref(), undefined)
})
