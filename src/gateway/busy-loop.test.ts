import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createBusyLoop, createBusyShare } from './busy-loop.ts'

/** A loop that is as full as it is told, with as many in flight. */
function createFakeLoop() {
  let nowMs = 0
  const state = { share: 0, inFlight: 0 }
  const isBusy = createBusyLoop({
    elapsed: () => nowMs,
    inFlight: () => state.inFlight,
    busyShare: () => state.share,
  })
  return {
    state,
    rest: (ms: number) => {
      nowMs += ms
    },
    /** So many requests in each of so many milliseconds; how many were refused. Who comes in stays. */
    come: (ms: number, eachMs: number) => {
      let refused = 0
      for (let at = 0; at < ms; at++) {
        nowMs += 1
        for (let each = 0; each < eachMs; each++) if (isBusy()) refused++
      }
      return refused
    },
  }
}

describe('a busy event loop', () => {
  test('with time to spare refuses nobody, however many are in flight', () => {
    const loop = createFakeLoop()
    Object.assign(loop.state, { share: 0.89, inFlight: 9_000 })
    assert.equal(loop.come(5_000, 10), 0)
  })

  test('that is full with few in flight refuses nobody', () => {
    const loop = createFakeLoop()
    Object.assign(loop.state, { share: 1, inFlight: 256 })
    assert.equal(loop.come(5_000, 10), 0)
  })

  test('that is full for a moment refuses nobody', () => {
    const loop = createFakeLoop()
    Object.assign(loop.state, { share: 1, inFlight: 1_000 })
    assert.equal(loop.come(290, 10), 0)
    loop.state.share = 0.5
    assert.equal(loop.come(200, 10), 0)
    loop.state.share = 1
    assert.equal(loop.come(290, 10), 0)
  })

  test('that stays full with a crowd in flight refuses all but a tenth', () => {
    const loop = createFakeLoop()
    Object.assign(loop.state, { share: 1, inFlight: 1_000 })
    loop.come(500, 10)
    const refused = loop.come(1_000, 10)
    assert.ok(refused > 8_800 && refused < 9_100, `${refused} of 10000`)
  })

  test('lets in whom it has room for, and never fewer than 64 in flight', () => {
    const loop = createFakeLoop()
    Object.assign(loop.state, { share: 1, inFlight: 1_000 })
    loop.come(5_000, 10)
    loop.state.inFlight = 63
    assert.equal(loop.come(1_000, 10), 0)
    loop.state.inFlight = 64
    assert.ok(loop.come(1_000, 10) > 8_000)
  })

  test('that has time again lets more and more in, in the end all', () => {
    const loop = createFakeLoop()
    Object.assign(loop.state, { share: 1, inFlight: 1_000 })
    loop.come(2_000, 10)
    Object.assign(loop.state, { share: 0.5, inFlight: 200 })
    assert.ok(loop.come(100, 10) > 0)
    loop.come(400, 10)
    assert.equal(loop.come(100, 10), 0)
    loop.state.inFlight = 5_000
    assert.ok(loop.come(100, 10) > 0)
    loop.come(2_000, 10)
    assert.equal(loop.come(100, 10), 0)
  })

  test('after a silence begins anew', () => {
    const loop = createFakeLoop()
    Object.assign(loop.state, { share: 1, inFlight: 1_000 })
    loop.come(2_000, 10)
    loop.rest(600)
    assert.equal(loop.come(290, 10), 0)
  })
})

test('the share of the real loop is between nothing and all, and that since the last look', async () => {
  const share = createBusyShare()
  const until = performance.now() + 30
  while (performance.now() < until);
  await new Promise(setImmediate)
  const busy = share()
  await new Promise((resolve) => setTimeout(resolve, 60))
  const idle = share()
  assert.ok(busy > 0.5 && busy <= 1, `${busy}`)
  assert.ok(idle >= 0 && idle < busy, `${idle}`)
})
