import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeFailedProbe, makeFailure, makeMember, makeOk, createRig } from './engine.fixture.ts'
import { createRecentEvidence } from './recent-evidence.ts'

test('evidence that says the same is one run, and what says something else begins a new one', () => {
  const recent = createRecentEvidence(2)
  for (const at of [1, 2, 3]) recent.note(0, makeOk(at))
  recent.note(0, makeFailure(4))
  recent.note(0, makeFailure(5))
  recent.note(0, makeFailedProbe(6))
  assert.deepEqual(recent.of(0), [
    { kind: 'server_error', depth: 4, source: 'probe', firstAt: 6, at: 6, times: 1 },
    { kind: 'server_error', depth: 4, source: 'traffic', firstAt: 4, at: 5, times: 2 },
    { kind: 'ok', depth: 4, source: 'traffic', firstAt: 1, at: 3, times: 3 },
  ])
  assert.deepEqual(recent.of(1), [])
})

test('the oldest run is forgotten from the seventeenth on', () => {
  const recent = createRecentEvidence(1)
  for (let at = 0; at < 40; at += 1) recent.note(0, at % 2 === 0 ? makeOk(at) : makeFailure(at))
  const runs = recent.of(0)
  assert.equal(runs.length, 16)
  assert.deepEqual([runs[0]?.at, runs.at(-1)?.at], [39, 24])
})

test('the engine keeps what it has heard of each deployment', () => {
  const rig = createRig([makeMember(0), makeMember(1)])
  rig.call(0)
  rig.clock.wind(50)
  rig.call(0, 'server_error')
  rig.call(0, 'bad_request')
  const kinds = rig.engine.standings.recent(0).map(({ kind, source }) => [kind, source])
  assert.deepEqual(kinds, [
    ['bad_request', 'traffic'],
    ['server_error', 'traffic'],
    ['ok', 'traffic'],
  ])
  assert.deepEqual(rig.engine.standings.recent(1), [])
})
