import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { FAILURE_KINDS } from '../core/failure.ts'
import type { FailureKind } from '../core/failure.ts'
import type { Health, HealthState } from '../core/health.ts'
import type { Verdict } from '../core/verdict.ts'
import { makeHealthy, makeUnhealthy } from './fixtures.ts'
import { nextHealth } from './state.ts'

const STRICT = { ignoreTransientErrors: false }
const NEW: Health = { state: 'UNKNOWN', reason: 'not_checked_yet', since: 0 }

const STATES: readonly (readonly [FailureKind, HealthState])[] = [
  ['auth', 'MISCONFIGURED'],
  ['quota', 'MISCONFIGURED'],
  ['not_found', 'MISCONFIGURED'],
  ['bad_request', 'MISCONFIGURED'],
  ['misconfigured', 'MISCONFIGURED'],
  ['tls', 'MISCONFIGURED'],
  ['rate_limited', 'SATURATED'],
  ['content_policy', 'HEALTHY'],
  ['server_error', 'DOWN'],
  ['overloaded', 'DOWN'],
  ['timeout', 'DOWN'],
  ['unreachable', 'DOWN'],
  ['wrong_shape', 'DOWN'],
  ['internal', 'UNKNOWN'],
]

for (const [reason, state] of STATES) {
  test(`a check that fails with ${reason} makes a deployment ${state}`, () => {
    assert.equal(nextHealth(NEW, makeUnhealthy(5, { reason }), 5, STRICT).state, state)
  })
}

test('one good verdict makes a deployment healthy and takes the reason away', () => {
  const down: Health = { state: 'DOWN', reason: 'timeout', since: 1, waitUntil: 9 }
  const verdict = makeHealthy(7)
  assert.deepEqual(nextHealth(down, verdict, 7, STRICT), { state: 'HEALTHY', since: 7, verdict })
})

test('since says when the state began, not when it was last confirmed', () => {
  const first = nextHealth(NEW, makeUnhealthy(5, { reason: 'timeout' }), 5, STRICT)
  const second = nextHealth(first, makeUnhealthy(9, { reason: 'server_error' }), 9, STRICT)
  assert.deepEqual([second.since, second.reason], [5, 'server_error'])
})

test('a 429 with Retry-After is left alone until then, an hour at most', () => {
  const limited = makeUnhealthy(100, { reason: 'rate_limited', exceptionStatus: 429, retryAfterMs: 7_000 })
  assert.equal(nextHealth(NEW, limited, 100, STRICT).waitUntil, 7_100)
  assert.equal(nextHealth(NEW, { ...limited, retryAfterMs: 86_400_000 }, 100, STRICT).waitUntil, 3_600_100)
})

test('Retry-After of a failing server holds nothing back', () => {
  const failing = makeUnhealthy(100, { reason: 'server_error', retryAfterMs: 7_000 })
  assert.equal(nextHealth(NEW, failing, 100, STRICT).waitUntil, undefined)
})

test('health_check_ignore_transient_errors keeps the state on 429 and 408 only', () => {
  const healthy = nextHealth(NEW, makeHealthy(1), 1, STRICT)
  const lenient = { ignoreTransientErrors: true }
  const limited = makeUnhealthy(2, { reason: 'rate_limited', exceptionStatus: 429 })
  const late = makeUnhealthy(2, { reason: 'timeout', exceptionStatus: 408 })
  const broken = makeUnhealthy(2, { reason: 'server_error', exceptionStatus: 500 })
  const after = [limited, late, broken].map((verdict) => nextHealth(healthy, verdict, 2, lenient))
  assert.deepEqual(
    after.map(({ state }) => state),
    ['HEALTHY', 'HEALTHY', 'DOWN'],
  )
  assert.equal(after[0]?.verdict, limited)
})

test('after any history: the newest verdict is kept, since never moves back or without a transition', () => {
  const verdicts: fc.Arbitrary<Verdict> = fc.oneof(
    fc.constant(makeHealthy(0)),
    fc
      .record({ reason: fc.constantFrom(...FAILURE_KINDS), retryAfterMs: fc.nat(10_000) })
      .map((changes) => makeUnhealthy(0, changes)),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(verdicts, fc.nat(1_000)), { minLength: 1 }), (history) => {
      let health = NEW
      let now = 0
      for (const [verdict, passed] of history) {
        now += passed
        const before = health
        health = nextHealth(before, verdict, now, STRICT)
        assert.equal(health.verdict, verdict)
        assert.equal(health.since, health.state === before.state ? before.since : now)
        assert.equal(health.reason === undefined, health.state === 'HEALTHY')
        if (health.waitUntil !== undefined) assert.equal(health.state, 'SATURATED')
      }
    }),
  )
})
