import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHandClock } from '../../core/clock.ts'
import { createLookout } from './lookout.ts'

interface Bench {
  readonly lookout: ReturnType<typeof createLookout>
  readonly clock: ReturnType<typeof createHandClock>
  /** Looks begun so far. */
  readonly count: () => number
  /** Tells the look that runs what came of it. */
  readonly tell: (isReached: boolean) => Promise<void>
}

function bench(random = 0): Bench {
  const clock = createHandClock()
  const looks: ((isReached: boolean) => void)[] = []
  const reach = (): Promise<boolean> => new Promise((resolve) => looks.push(resolve))
  return {
    clock,
    lookout: createLookout(5000, reach, { clock, random: () => random }),
    count: () => looks.length,
    tell: async (isReached) => {
      looks.at(-1)?.(isReached)
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

test('looks follow each other after rests that double up to half a minute', async () => {
  const { lookout, clock, count, tell } = bench()
  for (const restMs of [5000, 10_000, 20_000, 30_000, 30_000]) {
    assert.equal(lookout.leftMs(), restMs)
    const before = count()
    clock.wind(restMs - 1)
    assert.equal(count(), before)
    lookout.wanted()
    clock.wind(1)
    assert.equal(count(), before + 1)
    await tell(false)
  }
  lookout.wanted()
  clock.wind(30_000)
  await tell(true)
  assert.equal(lookout.isBack(), true)
  assert.equal(clock.pending(), 0)
})

test('up to half of a rest is left out by chance, of the first one nothing', async () => {
  const { lookout, clock, tell } = bench(0.5)
  assert.equal(lookout.leftMs(), 5000)
  clock.wind(5000)
  await tell(false)
  assert.equal(lookout.leftMs(), 7500)
})

test('where nobody asks nobody looks, and who asks then is what makes it look', async () => {
  const { lookout, clock, count, tell } = bench()
  clock.wind(5000)
  await tell(false)
  clock.wind(86_400_000)
  assert.deepEqual([count(), clock.pending(), lookout.isBack()], [1, 0, false])
  lookout.wanted()
  lookout.wanted()
  assert.deepEqual([count(), lookout.leftMs()], [2, 0])
})

test('one that was stopped looks no more and is not told', async () => {
  const resting = bench()
  resting.lookout.stop()
  resting.clock.wind(60_000)
  assert.deepEqual([resting.count(), resting.clock.pending()], [0, 0])

  const looking = bench()
  looking.clock.wind(5000)
  looking.lookout.stop()
  await looking.tell(true)
  assert.equal(looking.lookout.isBack(), false)
})
