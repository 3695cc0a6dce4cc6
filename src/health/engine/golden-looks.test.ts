import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { makeFailedProbe, makeMember, sicken, stateOf, wellRig } from './engine.fixture.ts'
import type { Rig } from './engine.fixture.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const GOLDEN = makeMember(0, { goldenPrice: 4e-5 })

const goldenOf = (rig: Rig): readonly number[] =>
  rig.looks.filter(({ rung }) => rung === 5).map(({ at }) => at)

/** A call each ten seconds. */
function windBusy(rig: Rig, ms: number): void {
  for (let left = ms; left > 0; left -= 10_000) {
    rig.call(0)
    rig.clock.wind(10_000)
  }
}

describe('golden looks', () => {
  test('are made once a day, where they are asked for, however busy it is', () => {
    const rig = wellRig([GOLDEN, makeMember(1)])
    for (let day = 0; day < 3; day += 1) windBusy(rig, DAY)
    const times = goldenOf(rig)
    assert.ok(times.length === 3 || times.length === 4, `${times.length}`)
    assert.ok(rig.looks.every(({ index, rung }) => rung < 5 || index === 0))
  })

  test('a wrong answer is asked for again within a minute or two, and a second one degrades until a right one', () => {
    const rig = wellRig([GOLDEN])
    rig.answer = (_index, rung) => ({ kind: rung === 5 ? 'quality' : 'ok', depth: rung })
    rig.clock.wind(4 * MINUTE)
    assert.equal(goldenOf(rig).length, 2)
    assert.deepEqual(rig.transitions.map(({ to, reason }) => [to, reason]).at(-1), ['DEGRADED', 'quality'])
    windBusy(rig, 4 * HOUR)
    assert.equal(stateOf(rig, 0), 'DEGRADED')
    const doubted = goldenOf(rig).length
    assert.ok(doubted >= 5 && doubted <= 8, `${doubted}`)
    rig.answer = (_index, rung) => ({ kind: 'ok', depth: rung })
    windBusy(rig, 2 * HOUR)
    assert.equal(stateOf(rig, 0), 'HEALTHY')
  })

  test('are not made by strategies that spend nothing, nor with an empty purse, nor of what is down', () => {
    for (const strategy of ['free_only', 'on_demand', 'off'] as const) {
      const rig = wellRig([GOLDEN], { look: { strategy } })
      rig.clock.wind(2 * DAY)
      assert.deepEqual(goldenOf(rig), [], strategy)
    }
    const poor = wellRig([GOLDEN], { usdPerDay: 1e-5 })
    poor.clock.wind(2 * DAY)
    assert.deepEqual(goldenOf(poor), [])
    const sick = wellRig([makeMember(0, { goldenPrice: 4e-5 }), makeMember(1)])
    for (let failed = 0; failed < 6; failed += 1) sick.call(0, 'server_error')
    sicken(sick, (index) => index === 0, 'server_error', 4)
    sick.clock.wind(5 * MINUTE)
    assert.deepEqual(goldenOf(sick), [])
  })

  test('cost what they cost', () => {
    const rig = wellRig([makeMember(0, { goldenPrice: 3 })], { usdPerDay: 5 })
    rig.clock.wind(2 * MINUTE)
    // Half of five dollars is for the well.
    assert.deepEqual(goldenOf(rig), [])
  })

  test('one that meets another model is not repeated at once', () => {
    const rig = wellRig([GOLDEN])
    rig.answer = (_index, rung) => ({ kind: rung >= 4 ? 'wrong_model' : 'ok', depth: rung })
    rig.clock.wind(50 * MINUTE)
    assert.equal(stateOf(rig, 0), 'DEGRADED')
    assert.equal(goldenOf(rig).length, 1)
  })
})

test('in doubt whether another model answers it is asked at each interval, though traffic is answered', () => {
  const rig = wellRig([makeMember(0)])
  const now = rig.clock.elapsed()
  rig.engine.standings.apply(0, makeFailedProbe(now, { kind: 'wrong_model' }), now)
  rig.answer = (_index, rung) => ({ kind: rung >= 4 ? 'wrong_model' : 'ok', depth: rung })
  windBusy(rig, 16 * MINUTE)
  assert.equal(stateOf(rig, 0), 'DEGRADED')
  const asked = rig.looks.filter(({ rung }) => rung === 4).length
  assert.equal(asked, 3)
  rig.answer = (_index, rung) => ({ kind: 'ok', depth: rung })
  windBusy(rig, 6 * MINUTE)
  assert.equal(stateOf(rig, 0), 'HEALTHY')
})
