import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHandClock } from '../core/clock.ts'
import type { UnhealthyVerdict } from '../core/verdict.ts'
import { makeBoard } from './board.fixture.ts'
import { makeDeployment } from './fixtures.ts'
import { report } from './report.ts'
import { createSaving } from './saved-health.ts'

const deployments = [makeDeployment({ index: 0, id: 'a' }), makeDeployment({ index: 1, id: 'b' })]

function scene(clock = createHandClock()) {
  const board = makeBoard(deployments, clock)
  return { board, clock, saving: createSaving(board.engine.standings, board, clock) }
}

const FACTS = { latencyMs: 5, requests: 1, probedModel: 'openai/gpt-4o', headers: { 'x-ms-region': 'x' } }

test('GET /health reads the same after a restart, but for our own request', () => {
  const before = scene()
  const failed: UnhealthyVerdict = {
    ...FACTS,
    kind: 'unhealthy',
    at: before.clock.now(),
    reason: 'auth',
    error: 'a key was refused',
    exceptionStatus: 401,
    request: { url: 'http://x', body: {}, headers: {} },
  }
  const { request: _, ...kept } = failed
  before.board.record(0, failed)
  before.board.record(1, { ...FACTS, kind: 'healthy', at: before.clock.now() })
  const expected = report(
    deployments,
    { ...before.board, health: (index) => withoutRequest(before, index) },
    ALL,
  )
  const clock = createHandClock(before.clock.now() + 2000)
  const after = scene(clock)
  const saved = [0, 1].map((index) => {
    const plain: unknown = JSON.parse(JSON.stringify(before.saving.save(index)))
    return [index, { plain, ageMs: 2000 }] as const
  })
  assert.deepEqual(after.saving.restore(new Map(saved)), [0, 1])
  assert.deepEqual(after.board.health(0).verdict, kept)
  assert.deepEqual(report(deployments, after.board, ALL), expected)
})

test('of what nobody knows nothing is saved', () => {
  const { saving } = scene()
  assert.equal(saving.save(0), undefined)
})

const ALL = { details: true }

function withoutRequest({ board }: ReturnType<typeof scene>, index: number) {
  const { verdict, ...health } = board.health(index)
  if (verdict?.kind !== 'unhealthy') return { ...health, ...(verdict !== undefined && { verdict }) }
  const { request: _, ...kept } = verdict
  return { ...health, verdict: kept }
}
