import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FailureKind } from '../core/failure.ts'
import { holdingProof, isDear } from './dear.ts'
import { makeHealthy, makeUnhealthy } from './fixtures.ts'

const SIX_HOURS = 6 * 3_600_000
const TIMING = { imageIntervalMs: SIX_HOURS }

test('pictures are dear, unless they are to be paid for each time', () => {
  assert.equal(isDear({ mode: 'image_generation' }, {}), true)
  assert.equal(isDear({ mode: 'image_generation' }, { rung: 'minimal' }), false)
  assert.equal(isDear({ mode: 'chat' }, {}), false)
})

test('a picture proves health for six hours, and nothing at all after the clock was set back', () => {
  const made = makeHealthy(1_000_000)
  assert.equal(holdingProof(undefined, 1_000_000, TIMING), undefined)
  assert.equal(holdingProof(made, 1_000_000, TIMING), made)
  assert.equal(holdingProof(made, 1_000_000 + SIX_HOURS - 1, TIMING), made)
  assert.equal(holdingProof(made, 1_000_000 + SIX_HOURS, TIMING), undefined)
  assert.equal(holdingProof(made, 999_999, TIMING), undefined)
})

test('what failed is tried again at once where trying costs nothing, else in six hours', () => {
  const free: readonly FailureKind[] = ['unreachable', 'auth', 'quota', 'not_found', 'server_error']
  for (const reason of free) assert.equal(holdingProof(makeUnhealthy(0, { reason }), 1, TIMING), undefined)
  const paid: readonly FailureKind[] = ['timeout', 'cut', 'empty', 'wrong_shape']
  for (const reason of paid) {
    const failed = makeUnhealthy(0, { reason })
    assert.equal(holdingProof(failed, 1, TIMING), failed)
  }
})
