import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { test } from 'node:test'
import { createHandClock } from '../core/clock.ts'
import { GatewayError } from '../core/failure.ts'
import { createSlots } from './slots.ts'
import type { Release, SlotLimits } from './slots.ts'

const LIMITS: SlotLimits = { total: 3, perHost: 2, patienceMs: 2_000 }

/** Asks for slots and notes who got one, in order. */
function scene(limits: SlotLimits = LIMITS) {
  const clock = createHandClock()
  const slots = createSlots(clock, limits)
  const started: string[] = []
  const releases = new Map<string, Release>()
  const never = new AbortController().signal
  return {
    clock,
    slots,
    started,
    release: (name: string) => releases.get(name)?.(),
    ask: async (host: string, name: string, { oneAtATime = false, signal = never } = {}) => {
      const release = await slots.acquire(host, oneAtATime, signal)
      started.push(name)
      releases.set(name, release)
    },
  }
}

test('a host gets its share and the others do not wait for it', async () => {
  const { ask, started, release } = scene()
  for (const name of ['a1', 'a2', 'a3']) void ask('a', name)
  void ask('b', 'b1')
  void ask('b', 'b2')
  await setImmediate()
  assert.deepEqual(started, ['a1', 'a2', 'b1'])
  release('a1')
  await setImmediate()
  assert.deepEqual(started, ['a1', 'a2', 'b1', 'a3'])
  release('b1')
  await setImmediate()
  assert.deepEqual(started, ['a1', 'a2', 'b1', 'a3', 'b2'])
})

test('hosts that wait take turns', async () => {
  const { ask, started, release } = scene({ ...LIMITS, total: 1 })
  for (const name of ['a1', 'a2', 'a3']) void ask('a', name)
  for (const name of ['b1', 'b2']) void ask('b', name)
  await setImmediate()
  for (const name of ['a1', 'a2', 'b1', 'a3']) {
    release(name)
    await setImmediate()
  }
  assert.deepEqual(started, ['a1', 'a2', 'b1', 'a3', 'b2'])
})

test('a probe silent for two seconds gives its slot to the next and goes on', async () => {
  const { ask, started, clock, release } = scene({ ...LIMITS, total: 1 })
  void ask('a', 'hangs')
  void ask('b', 'next')
  clock.wind(1_999)
  await setImmediate()
  assert.deepEqual(started, ['hangs'])
  clock.wind(1)
  await setImmediate()
  assert.deepEqual(started, ['hangs', 'next'])
  void ask('b', 'third')
  release('hangs')
  await setImmediate()
  assert.deepEqual(started, ['hangs', 'next'], 'a slot given away is not given back twice')
})

test('a host that serves one at a time is never asked twice at once', async () => {
  const { ask, started, clock, release } = scene()
  void ask('ollama', 'first', { oneAtATime: true })
  void ask('ollama', 'second', { oneAtATime: true })
  clock.wind(60_000)
  await setImmediate()
  assert.deepEqual(started, ['first'])
  release('first')
  await setImmediate()
  assert.deepEqual(started, ['first', 'second'])
})

test('a written concurrency counts silent probes too', async () => {
  const { ask, started, clock } = scene({ ...LIMITS, inFlight: 1 })
  void ask('a', 'hangs')
  void ask('b', 'next')
  clock.wind(60_000)
  await setImmediate()
  assert.deepEqual(started, ['hangs'])
})

test('who leaves the queue is not started and leaves no trace', async () => {
  const { ask, started, slots, release, clock } = scene({ ...LIMITS, total: 1 })
  const leaving = new AbortController()
  void ask('a', 'first')
  const gone = ask('a', 'gone', { signal: leaving.signal })
  void ask('a', 'last')
  leaving.abort()
  await assert.rejects(gone, (error) => error instanceof GatewayError && error.kind === 'cancelled')
  release('first')
  await setImmediate()
  assert.deepEqual(started, ['first', 'last'])
  release('last')
  assert.deepEqual([slots.waiting(), clock.pending()], [0, 0])
})

test('never more than the limits, whatever the order of asking and releasing', async () => {
  const { ask, started, release } = scene()
  for (let n = 0; n < 200; n += 1) void ask(`host-${n % 7}`, `n${n}`)
  let done = 0
  while (done < started.length || done === 0) {
    await setImmediate()
    assert.ok(started.length - done <= 3)
    release(started[done] ?? '')
    done += 1
    await setImmediate()
  }
  assert.equal(started.length, 200)
})
