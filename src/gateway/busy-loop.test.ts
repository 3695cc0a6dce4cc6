import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createBusyLoop, createLoopRounds } from './busy-loop.ts'

/** A loop of which each request takes a millisecond, or so many, and each refusal a fifth of it. */
function createFakeLoop({ aimMs = 25, requestMs = 1 } = {}): {
  readonly round: (requests: number, pauseMs?: number) => number
  rest(ms: number): void
} {
  let nowMs = 0
  let endRound = (): void => {}
  const isBusy = createBusyLoop(
    { mostMs: 25, aimMs, burstMs: 300, patienceMs: 300 },
    { elapsed: () => nowMs, afterRound: (run) => (endRound = run) },
  )
  return {
    rest: (ms) => {
      nowMs += ms
    },
    round: (requests, pauseMs = 0) => {
      let refused = 0
      for (let each = 0; each < requests; each++) {
        if (each === 1) nowMs += pauseMs
        const isRefused = isBusy()
        if (isRefused) refused++
        nowMs += isRefused ? requestMs / 5 : requestMs
      }
      endRound()
      endRound = () => {}
      return refused
    },
  }
}

function rounds(loop: ReturnType<typeof createFakeLoop>, count: number, requests: number): readonly number[] {
  return Array.from({ length: count }, () => loop.round(requests))
}

describe('a busy event loop', () => {
  test('rounds that are short refuse nobody, however many there are', () => {
    assert.deepEqual(new Set(rounds(createFakeLoop(), 100, 20)), new Set([0]))
  })

  test('one long pause refuses nobody who came after it', () => {
    const loop = createFakeLoop()
    loop.round(10)
    assert.equal(loop.round(1, 500), 0)
    assert.deepEqual(rounds(loop, 10, 10), Array(10).fill(0))
  })

  test('a few requests are never too many, however slow the machine is', () => {
    const loop = createFakeLoop()
    for (let each = 0; each < 20; each++) assert.equal(loop.round(60, 400), 0)
  })

  test('a burst that is worked off in time is let in', () => {
    const loop = createFakeLoop()
    assert.equal(loop.round(290), 0)
    loop.rest(1_000)
    assert.equal(loop.round(290), 0)
  })

  test('of a burst that is not, the rest is refused', () => {
    assert.ok(createFakeLoop().round(1_000) > 600)
  })

  test('in lasting overload each round admits what it has time for', () => {
    const loop = createFakeLoop()
    rounds(loop, 30, 200)
    const refused = rounds(loop, 20, 200)
    for (const each of refused) assert.ok(each > 100 && each < 140, `${each} of 200 were refused`)
  })

  test('in overload rounds become shorter than those that were called overload', () => {
    const loop = createFakeLoop({ aimMs: 8, requestMs: 0.04 })
    rounds(loop, 40, 800)
    rounds(loop, 40, 250)
    for (const refused of rounds(loop, 20, 250)) assert.ok(refused < 130, `${refused} of 250 were refused`)
    rounds(loop, 10, 800)
    for (const refused of rounds(loop, 20, 800)) assert.ok(refused > 650, `${refused} of 800 were refused`)
  })

  test('an eighth comes in, though refusals alone make rounds too long', () => {
    const loop = createFakeLoop({ aimMs: 8, requestMs: 0.1 })
    rounds(loop, 40, 1000)
    assert.deepEqual(new Set(rounds(loop, 10, 1000)), new Set([880]))
  })

  test('after overload all come in again', () => {
    const loop = createFakeLoop()
    rounds(loop, 30, 200)
    assert.ok(loop.round(200) > 0)
    rounds(loop, 100, 5)
    assert.equal(loop.round(200), 0)
  })
})

test('a round of the real event loop ends, and keeps no process alive', async () => {
  const loop = createLoopRounds()
  await new Promise<void>((resolve) => {
    const keepAlive = setTimeout(() => {}, 10_000)
    loop.after(() => {
      clearTimeout(keepAlive)
      resolve()
    })
  })
  loop.close()
})
