import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createHandClock } from '../core/clock.ts'
import { collectAfterStart } from './save-memory.ts'

/** Something that nobody holds. */
function leftBehind(): WeakRef<object> {
  return new WeakRef({ garbage: 'x'.repeat(100) })
}

test('what a start has left behind is collected once it is over, unless somebody is being served', async () => {
  for (const { inFlight, isLeft } of [
    { inFlight: 1, isLeft: true },
    { inFlight: 0, isLeft: false },
  ]) {
    const clock = createHandClock()
    const garbage = leftBehind()
    collectAfterStart(clock, () => inFlight)
    // What was made is held until this turn is over.
    await nextTurn()
    clock.wind(500)
    await nextTurn()
    assert.equal(garbage.deref() !== undefined, isLeft, `${inFlight} in flight`)
    assert.equal(clock.pending(), 0)
  }
})

test('a gateway that ends before has nothing collected', () => {
  const clock = createHandClock()
  collectAfterStart(clock, () => 0)()
  assert.equal(clock.pending(), 0)
})
