import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHandClock } from '../../core/clock.ts'
import type { Verdict } from '../../core/verdict.ts'
import { makeBoard } from '../board.fixture.ts'
import { makeDeployment } from '../fixtures.ts'
import { createSaving } from '../saved-health.ts'
import { createKeptNames } from './kept-names.ts'
import { createPending } from './pending.ts'
import { createRecorder } from './recorder.ts'

const FIVE = 300_000
const MIDNIGHT = 1_800_000_000_000 - (1_800_000_000_000 % 86_400_000)
const FACTS = { latencyMs: 40, requests: 1, probedModel: 'openai/gpt-4o', headers: {} }
const KEPT = { identity: 'aa', id: 'id-a', group: 'chat', model: 'openai/a' }
const NAMES = { of: () => KEPT, known: () => KEPT }

function scene() {
  const clock = createHandClock(MIDNIGHT)
  const board = makeBoard([makeDeployment({ index: 0, id: 'id-a' })], clock)
  const pending = createPending()
  const saving = createSaving(board.engine.standings, board, clock)
  const recorder = createRecorder({ board, saving, names: NAMES, pending, clock })
  const good = (): Verdict => ({ ...FACTS, kind: 'healthy', at: clock.now() })
  const bad = (): Verdict => ({
    ...FACTS,
    kind: 'unhealthy',
    at: clock.now(),
    reason: 'auth',
    error: 'a key\nwas refused',
    exceptionStatus: 401,
  })
  return { clock, board, pending, recorder, good, bad }
}

test('successes are added up, failures stand for themselves, on one line', () => {
  const { board, pending, good, bad } = scene()
  board.record(0, good())
  board.record(0, good())
  board.record(0, bad())
  const rows = pending.take()
  assert.deepEqual(
    rows?.folds.map(({ ok, failed, tookMs }) => [ok, failed, tookMs]),
    [[2, 1, 80]],
  )
  assert.deepEqual(
    rows.failures.map(({ reason, status, error }) => [reason, status, error]),
    [['auth', 401, 'a key was refused']],
  )
})

test('time up and time down are counted apart, within the five minutes in which they passed', () => {
  const { clock, board, pending, recorder, good, bad } = scene()
  recorder.tick()
  clock.wind(1000)
  board.record(0, good())
  clock.wind(FIVE)
  board.record(0, bad())
  board.record(0, bad())
  clock.wind(60_000)
  recorder.tick()
  const folds = pending.take()?.folds.map(({ at, upMs, downMs }) => [at - MIDNIGHT, upMs, downMs])
  assert.deepEqual(folds, [
    [0, FIVE - 1000, 0],
    [FIVE, 1000, 60_000],
  ])
})

test('a machine that slept knows nothing of that time', () => {
  const { clock, board, pending, recorder, good } = scene()
  board.record(0, good())
  recorder.tick()
  pending.take()
  clock.wind(10 * FIVE)
  recorder.tick()
  assert.deepEqual(pending.take()?.folds, [])
})

test('an incident opens with its cause and evidence, and closes when it is well again', () => {
  const { clock, board, pending, good, bad } = scene()
  board.record(0, good())
  board.record(0, bad())
  board.record(0, bad())
  clock.wind(120_000)
  for (let each = 0; each < 6; each += 1) {
    clock.wind(60_000)
    board.record(0, good())
  }
  const rows = pending.take()
  assert.deepEqual(
    rows?.openings.map(({ at, cause, evidence }) => [at - MIDNIGHT, cause, evidence]),
    [[0, 'auth', 'a key was refused']],
  )
  assert.ok(rows.closings.some(({ at }) => at > MIDNIGHT))
  assert.deepEqual(rows.transitions.map(({ from, to, reason }) => [from, to, reason]).slice(0, 3), [
    ['UNKNOWN', 'HEALTHY', undefined],
    ['HEALTHY', 'SUSPECT', 'auth'],
    ['SUSPECT', 'MISCONFIGURED', 'auth'],
  ])
})

test('a change of state is saved with the next second, and all that is left at the end', () => {
  const { board, pending, recorder, good } = scene()
  recorder.tick()
  assert.deepEqual(pending.take()?.standings ?? [], [])
  board.record(0, good())
  recorder.tick()
  assert.match(pending.take()?.standings[0]?.plain ?? '', /"state":"HEALTHY"/)
  recorder.finish()
  assert.equal(pending.take()?.standings.length, 1)
  recorder.stop()
  board.record(0, good())
  assert.equal(pending.take(), undefined)
})

test('under another config those that are called as before go on, and the others end', () => {
  const clock = createHandClock(MIDNIGHT)
  const pending = createPending()
  const scene = (ids: readonly string[]) => {
    const deployments = ids.map((id, index) => makeDeployment({ index, id }))
    const board = makeBoard(deployments, clock)
    const saving = createSaving(board.engine.standings, board, clock)
    return { board, saving, deployments }
  }
  const identity = ({ id }: { readonly id: string }): string => `of ${id}`
  const first = scene(['stays', 'goes', 'changes'])
  const names = createKeptNames(first.deployments, identity)
  const recorder = createRecorder({ ...first, names, pending, clock })
  const bad = (): Verdict => ({
    ...FACTS,
    kind: 'unhealthy',
    at: clock.now(),
    reason: 'auth',
    error: 'a key was refused',
    exceptionStatus: 401,
  })
  for (const index of [0, 1, 2]) for (let times = 0; times < 3; times += 1) first.board.record(index, bad())
  const before = pending.take()
  assert.deepEqual(before?.openings.map((each) => each.identity).toSorted(), [
    'of changes',
    'of goes',
    'of stays',
  ])
  clock.wind(60_000)

  const second = scene(['new', 'changes', 'stays'])
  const was = (index: number): number | undefined => (index === 2 ? 0 : undefined)
  const next = createKeptNames(second.deployments, identity, { names, was })
  assert.equal(next.known(2), names.known(0))
  assert.equal(next.known(0), undefined)
  createRecorder({ ...second, names: next, pending, clock }, { records: recorder.handOver(), was })
  const after = pending.take()
  assert.deepEqual(after?.closings, [{ identity: 'of goes', at: clock.now() }])
  assert.deepEqual(after.openings, [])
  assert.deepEqual(
    after.folds.map(({ identity: of, downMs }) => `${of}: ${downMs}`).toSorted(),
    ['of changes: 60000', 'of goes: 60000'],
    'the time of whoever stays is counted when its turn comes',
  )
  first.board.record(0, bad())
  assert.equal(pending.take(), undefined, 'nobody listens to the board of before')
  second.board.record(2, { ...FACTS, kind: 'healthy', at: clock.now() })
  assert.deepEqual(
    pending.take()?.closings.map((each) => each.identity),
    ['of stays'],
  )
})
