import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FACTS, makeFailure, makeMember, statesOf, wellRig } from './engine.fixture.ts'
import type { Rig } from './engine.fixture.ts'

const SECOND = 1000

/** Deployments of one host: all but the last share a key. */
function fleet(count: number): Rig {
  const last = count - 1
  return wellRig(
    Array.from({ length: count }, (_, index) =>
      makeMember(index, { host: 0, credential: index === last ? 1 : 0 }),
    ),
  )
}

/** A call there ends with this, at once. */
function fail(
  rig: Rig,
  index: number,
  failure: { kind: 'quota' | 'rate_limited'; isKeyWide?: boolean; retryAfterMs?: number },
): void {
  const call = rig.engine.traffic.begin(index, { ...FACTS, request: rig.clock.elapsed() + index + 1 })
  rig.engine.traffic.failed(call, { source: 'upstream', ...failure })
}

describe('a model that has used up its credit', () => {
  test('is out alone, and another one of its key is asked whether the key has', () => {
    const rig = fleet(4)
    rig.clock.wind(10 * SECOND)
    rig.call(1)
    fail(rig, 0, { kind: 'quota' })
    rig.clock.wind(5 * SECOND)
    assert.deepEqual(statesOf(rig), ['MISCONFIGURED', 'HEALTHY', 'HEALTHY', 'HEALTHY'])
    // The one that answered last, and once.
    assert.deepEqual(
      rig.looks.map(({ index, rung }) => [index, rung]),
      [[1, 4]],
    )
  })

  test('takes all of its key with it where the other one says so too', () => {
    const rig = fleet(4)
    rig.answer = () => ({ kind: 'quota', depth: 4 })
    rig.clock.wind(10 * SECOND)
    fail(rig, 0, { kind: 'quota' })
    rig.clock.wind(5 * SECOND)
    assert.deepEqual(statesOf(rig), ['MISCONFIGURED', 'MISCONFIGURED', 'MISCONFIGURED', 'HEALTHY'])
    assert.equal(rig.engine.standings.standing(2, rig.clock.elapsed()).isFollower, true)
  })

  test('and a second one, too, leave the others of their key alone while these answer', () => {
    const rig = fleet(5)
    rig.clock.wind(10 * SECOND)
    fail(rig, 0, { kind: 'quota' })
    rig.clock.wind(SECOND)
    rig.call(2)
    rig.clock.wind(SECOND)
    fail(rig, 1, { kind: 'quota' })
    rig.clock.wind(5 * SECOND)
    assert.deepEqual(statesOf(rig), ['MISCONFIGURED', 'MISCONFIGURED', 'HEALTHY', 'HEALTHY', 'HEALTHY'])
  })

  test('lets the others of its key go as soon as one answers with it', () => {
    const rig = fleet(5)
    const broke = new Set([0, 1])
    rig.answer = (index, rung) => ({ kind: broke.has(index) && rung >= 4 ? 'quota' : 'ok', depth: rung })
    rig.clock.wind(10 * SECOND)
    fail(rig, 0, { kind: 'quota' })
    fail(rig, 1, { kind: 'quota' })
    assert.deepEqual(
      statesOf(rig).slice(0, 4),
      Array.from({ length: 4 }, () => 'MISCONFIGURED'),
    )
    broke.delete(0)
    rig.clock.wind(80 * SECOND)
    assert.deepEqual(statesOf(rig), ['HEALTHY', 'MISCONFIGURED', 'HEALTHY', 'HEALTHY', 'HEALTHY'])
  })

  test('is believed at its word where nobody may look', () => {
    const members = [0, 0, 0].map((credential, index) => makeMember(index, { credential }))
    const rig = wellRig(members, { look: { strategy: 'off' } })
    rig.clock.wind(10 * SECOND)
    fail(rig, 0, { kind: 'quota' })
    rig.clock.wind(SECOND)
    assert.deepEqual(statesOf(rig), ['MISCONFIGURED', 'HEALTHY', 'HEALTHY'])
    fail(rig, 1, { kind: 'quota' })
    assert.deepEqual(statesOf(rig), ['MISCONFIGURED', 'MISCONFIGURED', 'MISCONFIGURED'])
    assert.equal(rig.looks.length, 0)
  })
})

describe('a limit on requests', () => {
  test('is of the one model, where nobody says otherwise', () => {
    const rig = fleet(3)
    fail(rig, 0, { kind: 'rate_limited', retryAfterMs: 30_000 })
    assert.deepEqual(statesOf(rig), ['SATURATED', 'HEALTHY', 'HEALTHY'])
  })

  test('of the whole key leaves all alone that use it, until it is over, and they return one by one', () => {
    const rig = fleet(4)
    fail(rig, 0, { kind: 'rate_limited', isKeyWide: true, retryAfterMs: 30_000 })
    assert.deepEqual(statesOf(rig), ['SATURATED', 'SATURATED', 'SATURATED', 'HEALTHY'])
    rig.clock.wind(100)
    // Others that were under way are told the same; that is no news.
    fail(rig, 1, { kind: 'rate_limited', isKeyWide: true, retryAfterMs: 30_000 })
    assert.equal(rig.transitions.filter(({ to }) => to === 'SATURATED').length, 3)
    rig.clock.wind(30 * SECOND - 100)
    assert.deepEqual(statesOf(rig), ['HEALTHY', 'SATURATED', 'SATURATED', 'HEALTHY'])
    rig.clock.wind(5 * SECOND)
    assert.deepEqual(statesOf(rig), ['HEALTHY', 'HEALTHY', 'HEALTHY', 'HEALTHY'])
    assert.equal(rig.looks.length, 0)
  })

  test('of the whole key says nothing good or bad of what is down', () => {
    const rig = fleet(3)
    const now = rig.clock.elapsed()
    for (let prompt = 0; prompt < 20; prompt += 1)
      rig.engine.standings.apply(1, makeFailure(now, { prompt, request: prompt }), now)
    assert.equal(statesOf(rig)[1], 'DOWN')
    fail(rig, 0, { kind: 'rate_limited', isKeyWide: true, retryAfterMs: 30_000 })
    assert.deepEqual(statesOf(rig), ['SATURATED', 'DOWN', 'HEALTHY'])
  })
})
