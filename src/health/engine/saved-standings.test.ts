import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRig, makeMember, sicken, stateOf, statesOf, wellRig } from './engine.fixture.ts'
import type { Rig } from './engine.fixture.ts'
import type { SavedStanding } from './saved-standings.ts'

const SECOND = 1000
const MINUTE = 60_000

/** What one engine saves, through JSON, as another one finds it after `ageMs`. */
function handedOver({ engine, clock }: Rig, ageMs = 0): ReadonlyMap<number, SavedStanding> {
  const { standings } = engine
  const saved = new Map<number, SavedStanding>()
  for (let index = 0; index < standings.count; index += 1) {
    const plain = standings.save(index, clock.elapsed())
    if (plain !== undefined) saved.set(index, { plain: JSON.parse(JSON.stringify(plain)), ageMs })
  }
  return saved
}

function restoredRig(from: Rig, members: Parameters<typeof createRig>[0], ageMs = 0): Rig {
  const rig = createRig(members)
  rig.answer = from.answer
  rig.engine.standings.restore(handedOver(from, ageMs), rig.clock.elapsed())
  rig.engine.start()
  return rig
}

test('a thousand that were well ten seconds before a restart are not looked at for it', () => {
  const members = Array.from({ length: 1000 }, (_, index) => makeMember(index, { host: index % 7 }))
  const before = wellRig(members)
  const after = restoredRig(before, members, 10 * SECOND)
  assert.deepEqual(new Set(statesOf(after)), new Set(['HEALTHY']))
  after.clock.wind(MINUTE)
  assert.ok(after.looks.length <= 20, `${after.looks.length} looks`)
  assert.deepEqual(after.transitions, [])
})

test('who is down stays down with its reason and since when, and comes back as it would have', () => {
  const members = [makeMember(0), makeMember(1)]
  const before = wellRig(members)
  sicken(before, (index) => index === 0, 'server_error', 4)
  before.call(0, 'server_error')
  before.clock.wind(10 * SECOND)
  assert.deepEqual(statesOf(before), ['DOWN', 'HEALTHY'])
  const { since } = before.engine.standings.standing(0, before.clock.elapsed())
  const after = restoredRig(before, members, 5 * SECOND)
  const standing = after.engine.standings.standing(0, 0)
  assert.equal(standing.state, 'DOWN')
  assert.equal(standing.reason, 'server_error')
  assert.equal(standing.since, since - before.clock.elapsed() - 5 * SECOND)
  after.answer = (_index, rung) => ({ kind: 'ok', depth: rung })
  after.clock.wind(90 * SECOND)
  assert.deepEqual(statesOf(after), ['HEALTHY', 'HEALTHY'])
})

test('all of a dead host stay down behind the one that is looked at, and nobody is told anew', () => {
  const members = Array.from({ length: 5 }, (_, index) => makeMember(index, { host: index < 4 ? 0 : 1 }))
  const before = wellRig(members)
  sicken(before, (index) => index < 4, 'unreachable')
  before.call(0, 'unreachable')
  before.clock.wind(20 * SECOND)
  assert.deepEqual(statesOf(before).slice(0, 4), ['DOWN', 'DOWN', 'DOWN', 'DOWN'])
  const after = restoredRig(before, members)
  assert.deepEqual(statesOf(after), statesOf(before))
  assert.deepEqual(after.transitions, [])
  after.clock.wind(40 * SECOND)
  assert.equal(new Set(after.looks.filter(({ index }) => index < 4).map(({ index }) => index)).size, 1)
  after.answer = (_index, rung) => ({ kind: 'ok', depth: rung })
  after.clock.wind(3 * MINUTE)
  assert.deepEqual(new Set(statesOf(after)), new Set(['HEALTHY']))
})

test('one who followed a verdict whose finder is gone is unknown', () => {
  const members = [makeMember(0), makeMember(1, { host: 0 }), makeMember(2)]
  const before = wellRig(members)
  sicken(before, (index) => index < 2, 'unreachable')
  before.call(0, 'unreachable')
  before.clock.wind(20 * SECOND)
  assert.deepEqual(statesOf(before).slice(0, 2), ['DOWN', 'DOWN'])
  const saved = handedOver(before)
  const rig = createRig(members)
  const finder = [0, 1].find((index) => !before.engine.standings.standing(index, 0).isFollower) ?? 0
  rig.engine.standings.restore(new Map([...saved].filter(([index]) => index !== finder)), 0)
  assert.equal(stateOf(rig, 1 - finder), 'UNKNOWN')
})

test('what has been learned since a start counts more than what was saved', () => {
  const members = [makeMember(0)]
  const before = wellRig(members)
  const rig = createRig(members)
  for (let each = 0; each < 5; each += 1) rig.call(0, 'server_error')
  const state = stateOf(rig, 0)
  assert.notEqual(state, 'HEALTHY')
  assert.deepEqual(rig.engine.standings.restore(handedOver(before), rig.clock.elapsed()), [])
  assert.equal(stateOf(rig, 0), state)
})

test('old news is none: a verdict that would have been forgotten meanwhile is not restored', () => {
  const members = [makeMember(0), makeMember(1)]
  const before = wellRig(members)
  sicken(before, (index) => index === 0, 'server_error', 4)
  before.call(0, 'server_error')
  before.clock.wind(10 * SECOND)
  assert.deepEqual(statesOf(restoredRig(before, members, 11 * MINUTE)), ['UNKNOWN', 'HEALTHY'])
  assert.deepEqual(statesOf(restoredRig(before, members, 120 * MINUTE)), ['UNKNOWN', 'UNKNOWN'])
})

test('what is not of the saved form is passed over', () => {
  const rig = createRig([makeMember(0)])
  for (const plain of [undefined, null, 7, 'HEALTHY', [], {}, { state: 'HEALTHY' }, { state: 'GREEN' }])
    assert.deepEqual(rig.engine.standings.restore(new Map([[0, { plain, ageMs: 0 }]]), 0), [])
  assert.equal(stateOf(rig, 0), 'UNKNOWN')
})
