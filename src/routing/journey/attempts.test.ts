import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { FAILURE_KINDS } from '../../core/failure.ts'
import { maxRetriesFor, mayRepeat, nextStep, plainRetries } from './attempts.ts'
import type { AfterFailure } from './attempts.ts'

const BASE: AfterFailure = {
  failure: { kind: 'server_error', source: 'upstream' },
  retries: 0,
  maxRetries: 2,
  hasOther: false,
  again: { retryAfterMs: undefined },
  leftMs: Number.POSITIVE_INFINITY,
  leastWaitMs: 0,
  dice: 0.5,
}

test('the deployment’s own number beats the router’s, which the tries of a client may only raise', () => {
  assert.equal(plainRetries(undefined, 2), 2)
  assert.equal(plainRetries({ leastRetries: 4 }, 2), 4)
  assert.equal(plainRetries({ leastRetries: 1 }, 2), 2)
  assert.equal(plainRetries({ numRetries: 0, leastRetries: 4 }, 2), 0)
})

test('what follows from a failed attempt', () => {
  const cases: readonly (readonly [string, Partial<AfterFailure>, string])[] = [
    ['another deployment is asked at once', { hasOther: true }, 'other'],
    ['the same one after a while', {}, 'again 250'],
    ['and after a longer while', { retries: 1 }, 'again 500'],
    ['which has a bound', { retries: 9, maxRetries: 10 }, 'again 4000'],
    [
      'not where asking again is of no use',
      { failure: { kind: 'auth', source: 'upstream' }, again: undefined },
      'leave',
    ],
    [
      'but another deployment may have a better key',
      { failure: { kind: 'auth', source: 'upstream' }, hasOther: true },
      'other',
    ],
    ['not when the retries are used up', { retries: 2, hasOther: true }, 'leave'],
    [
      'not for what the provider refuses',
      { failure: { kind: 'bad_request', source: 'upstream' }, hasOther: true },
      'leave',
    ],
    [
      'not for its content',
      { failure: { kind: 'content_policy', source: 'upstream' }, hasOther: true },
      'leave',
    ],
    [
      'not for what the client did wrong',
      { failure: { kind: 'server_error', source: 'client' }, hasOther: true },
      'leave',
    ],
    [
      'not when the client has gone',
      { failure: { kind: 'cancelled', source: 'gateway' }, hasOther: true },
      'leave',
    ],
    ['what the upstream asks for is kept', { again: { retryAfterMs: 7000 } }, 'again 7000'],
    ['and what the operator asks for', { leastWaitMs: 900 }, 'again 900'],
    ['nobody is kept waiting for long', { again: { retryAfterMs: 10_001 } }, 'leave'],
    ['but who has time', { again: { retryAfterMs: 10_001 }, leftMs: 20_000 }, 'again 10001'],
    ['never beyond the deadline', { again: { retryAfterMs: 5000 }, leftMs: 5000 }, 'leave'],
    ['nor after it', { hasOther: true, leftMs: 0 }, 'leave'],
  ]
  for (const [name, change, expected] of cases) {
    const step = nextStep({ ...BASE, ...change })
    assert.equal(step.kind === 'again' ? `again ${step.waitMs}` : step.kind, expected, name)
  }
})

test('whatever happens, retries have an end, the deadline holds, and the same one is never asked before another', () => {
  const after = fc.record({
    failure: fc.record({
      kind: fc.constantFrom(...FAILURE_KINDS),
      source: fc.constantFrom('upstream', 'gateway', 'client'),
    }),
    retries: fc.nat(30),
    maxRetries: fc.nat(20),
    hasOther: fc.boolean(),
    again: fc.record({ retryAfterMs: fc.nat(100_000) }),
    leftMs: fc.integer({ min: -1000, max: 100_000 }),
    leastWaitMs: fc.nat(10_000),
    dice: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  })
  fc.assert(
    fc.property(after, (given) => {
      const step = nextStep(given)
      if (step.kind === 'leave') return
      assert.ok(given.retries < given.maxRetries && given.leftMs > 0 && given.failure.source !== 'client')
      assert.equal(step.kind, given.hasOther ? 'other' : 'again')
      if (step.kind === 'again')
        assert.ok(step.waitMs >= given.again.retryAfterMs && step.waitMs < given.leftMs)
    }),
  )
})

test('a number for this kind of failure beats the plain one, the first policy the second', () => {
  assert.equal(maxRetriesFor('timeout', [{ timeout: 0 }, { timeout: 5 }], 2), 0)
  assert.equal(maxRetriesFor('timeout', [undefined, { timeout: 5 }], 2), 5)
  assert.equal(maxRetriesFor('timeout', [{ auth: 1 }, {}], 2), 2)
})

test('what is dear is asked for twice only where it was surely not done', () => {
  const sent = { kind: 'server_error', isUnsent: false, upstreamStatus: undefined } as const
  assert.equal(mayRepeat(sent, false), true)
  assert.equal(mayRepeat(sent, true), false)
  assert.equal(mayRepeat({ ...sent, isUnsent: true }, true), true)
  for (const [upstreamStatus, may] of [
    [429, true],
    [503, true],
    [500, false],
  ] as const)
    assert.equal(mayRepeat({ ...sent, upstreamStatus }, true), may)
})
