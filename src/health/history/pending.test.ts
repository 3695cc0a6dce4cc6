import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPending } from './pending.ts'

const A = { identity: 'aa', id: 'id-a', group: 'chat', model: 'openai/a' }
const delta = (at: number, ok: number) => ({
  at,
  ok,
  failed: 0,
  tookMs: 10 * ok,
  lastAt: at,
  upMs: 0,
  downMs: 0,
})
const failure = (at: number) =>
  ({ identity: 'aa', at, reason: 'server_error', status: 500, error: 'no', tookMs: 1 }) as const

test('where nothing happened nothing is to be written', () => {
  assert.equal(createPending().take(), undefined)
})

test('what happens within the same five minutes is one row, and what was taken is gone', () => {
  const pending = createPending()
  pending.fold(A, delta(0, 1))
  pending.fold(A, delta(0, 2))
  pending.fold(A, delta(300_000, 1))
  const rows = pending.take()
  assert.deepEqual(
    rows?.folds.map(({ at, ok, tookMs }) => [at, ok, tookMs]),
    [
      [0, 3, 30],
      [300_000, 1, 10],
    ],
  )
  assert.deepEqual(rows.deployments, [A])
  assert.equal(pending.take(), undefined)
})

test('of a deployment only the newest standing waits', () => {
  const pending = createPending()
  for (const at of [1, 2, 3]) pending.stood(A, { identity: 'aa', at, plain: '{}' })
  assert.deepEqual(
    pending.take()?.standings.map(({ at }) => at),
    [3],
  )
})

test('more than the bound is thrown away, oldest first, and counted', () => {
  const pending = createPending({ events: 3, folds: 2 })
  for (const at of [1, 2, 3, 4, 5]) pending.failed(A, failure(at))
  for (const at of [0, 300_000, 600_000]) pending.fold(A, delta(at, 1))
  assert.equal(pending.dropped(), 3)
  const rows = pending.take()
  assert.deepEqual(
    [rows?.failures.map(({ at }) => at), rows?.folds.map(({ at }) => at)],
    [
      [3, 4, 5],
      [300_000, 600_000],
    ],
  )
})

test('what could not be written joins what happened since, in order', () => {
  const [lost, pending] = [createPending(), createPending()]
  lost.failed(A, failure(1))
  lost.fold(A, delta(0, 1))
  pending.failed(A, failure(2))
  pending.fold(A, delta(0, 4))
  const rows = lost.take()
  assert.ok(rows !== undefined)
  pending.merge(rows)
  const all = pending.take()
  assert.deepEqual([all?.failures.map(({ at }) => at), all?.folds.map(({ ok }) => ok)], [[1, 2], [5]])
})
