import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createRig, makeMember, sicken, stateOf, wellRig } from './engine.fixture.ts'
import type { Rig } from './engine.fixture.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND

const paidOf = (rig: Rig): number => rig.looks.filter(({ rung }) => rung >= 4).length

describe('while little is left of what a provider allows', () => {
  test('nothing is bought of the well: free looks go on, and what was due is made up for afterwards', () => {
    const rig = wellRig([makeMember(0)], { look: { idleMostMs: 5 * MINUTE } })
    rig.engine.spare(0, 30 * MINUTE)
    rig.clock.wind(30 * MINUTE)
    assert.equal(paidOf(rig), 0)
    assert.ok(rig.looks.length >= 5, `${rig.looks.length}`)
    rig.clock.wind(6 * MINUTE)
    assert.equal(paidOf(rig), 1)
  })

  test('one without a free look waits', () => {
    const rig = createRig([makeMember(0, { hasFree: false, price: 0 })])
    rig.engine.spare(0, 10 * MINUTE)
    rig.engine.start()
    rig.clock.wind(9 * MINUTE)
    assert.equal(rig.looks.length, 0)
    rig.clock.wind(3 * MINUTE)
    assert.equal(paidOf(rig), 1)
  })

  test('failing requests alone confirm a suspicion', () => {
    const rig = wellRig([makeMember(0), makeMember(1)])
    sicken(rig, (index) => index === 0, 'server_error', 4)
    rig.engine.spare(0, 10 * MINUTE)
    for (let failed = 0; failed < 2; failed += 1) rig.call(0, 'server_error')
    rig.clock.wind(20 * SECOND)
    assert.equal(stateOf(rig, 0), 'SUSPECT')
    rig.call(0, 'server_error')
    assert.equal(stateOf(rig, 0), 'DOWN')
    assert.equal(paidOf(rig), 0)
  })

  test('one that is down comes back by the request of a client', () => {
    const rig = wellRig([makeMember(0), makeMember(1)])
    rig.engine.spare(0, 10 * MINUTE)
    for (let failed = 0; failed < 3; failed += 1) rig.call(0, 'server_error')
    rig.clock.wind(10 * SECOND)
    assert.equal(stateOf(rig, 0), 'RECOVERING')
    for (let good = 0; good < 3; good += 1) rig.call(0)
    assert.equal(stateOf(rig, 0), 'HEALTHY')
    assert.equal(paidOf(rig), 0)
  })

  test('an answer that shows plenty ends it', () => {
    const rig = wellRig([makeMember(0)], { look: { idleMostMs: 5 * MINUTE } })
    rig.engine.spare(0, 60 * MINUTE)
    rig.engine.spare(0, 0)
    rig.clock.wind(6 * MINUTE)
    assert.equal(paidOf(rig), 1)
  })
})

describe('while a model is not in memory', () => {
  test('no answer is asked for, whatever it costs: free looks go on until it is loaded', () => {
    const rig = createRig([makeMember(0, { price: 0 })], { look: { idleMostMs: 5 * MINUTE } })
    rig.engine.rest(0, true)
    rig.engine.start()
    rig.clock.wind(30 * MINUTE)
    assert.equal(paidOf(rig), 0)
    assert.ok(rig.looks.length >= 5, `${rig.looks.length}`)
    rig.engine.rest(0, false)
    rig.clock.wind(6 * MINUTE)
    assert.ok(paidOf(rig) >= 1)
  })

  test('one that is down comes back by the request of a client, which loads it', () => {
    const rig = wellRig([makeMember(0, { price: 0 }), makeMember(1)])
    rig.engine.rest(0, true)
    for (let failed = 0; failed < 3; failed += 1) rig.call(0, 'server_error')
    rig.clock.wind(10 * SECOND)
    assert.equal(stateOf(rig, 0), 'RECOVERING')
    for (let good = 0; good < 3; good += 1) rig.call(0)
    assert.equal(stateOf(rig, 0), 'HEALTHY')
    assert.equal(paidOf(rig), 0)
  })
})
