import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { GatewayError } from '../../core/failure.ts'
import type { FailureKind } from '../../core/failure.ts'
import { makeHealthy, makeUnhealthy } from '../fixtures.ts'
import { bucketOf, createFirstTokens } from './first-token.ts'
import { createPoison } from './poison.ts'
import { createPurse } from './purse.ts'
import { createSelfIsolation } from './self-isolation.ts'
import { described } from '../../providers/call.ts'
import { lineOf } from '../../providers/line.fixture.ts'
import { allAdapters } from '../../providers/registry.ts'
import { explain } from '../../routing/answer/explain.ts'
import { metBy } from '../check-words.ts'
import { toEvidence } from './to-evidence.ts'

describe('the usual first token', () => {
  const learnt = (ms: number, times: number) => {
    const tokens = createFirstTokens(2)
    for (let each = 0; each < times; each += 1) tokens.observe(0, 1, ms * (each % 2 === 0 ? 0.9 : 1.1), false)
    return tokens
  }

  test('ten times the usual is slow, twice is not, and neither is judged before twenty answers', () => {
    assert.equal(learnt(400, 100).observe(0, 1, 4000, true), true)
    assert.equal(learnt(1500, 100).observe(0, 1, 2600, true), false)
    assert.equal(learnt(400, 10).observe(0, 1, 4000, true), false)
  })

  test('below two seconds nothing is slow', () => {
    assert.equal(learnt(20, 100).observe(0, 1, 1900, true), false)
  })

  test('a slow spell does not become the usual', () => {
    const tokens = learnt(400, 100)
    for (let each = 0; each < 500; each += 1) tokens.observe(0, 1, 8000, false)
    assert.ok((tokens.usualMs(0) ?? 0) < 450)
  })

  test('long prompts, and answers that are not streamed, have a usual of their own', () => {
    assert.deepEqual(
      [bucketOf(100, true), bucketOf(100, false), bucketOf(20_000, true), bucketOf(1e6, true)],
      [1, 0, 3, 7],
    )
    assert.equal(learnt(400, 100).observe(0, 7, 60_000, false), false)
  })

  test('a reasoning model has its time, a quick one ten seconds, and nobody more than the caller gives', () => {
    assert.equal(learnt(400, 100).budgetMs(0, 60_000), 10_000)
    const slow = learnt(20_000, 100).budgetMs(0, 600_000)
    assert.ok(slow > 30_000 && slow < 60_000, `${slow}`)
    assert.equal(learnt(20_000, 100).budgetMs(0, 5000), 5000)
    assert.equal(createFirstTokens(1).budgetMs(0, 60_000), 20_000)
    assert.deepEqual(
      [learnt(400, 100).probeMs(0), learnt(20_000, 100).probeMs(0), createFirstTokens(1).probeMs(0)],
      [5000, 15_000, 15_000],
    )
  })
})

describe('the purse', () => {
  test('idle looks stop at half of it, confirming ones at four fifths, those that bring back at the end', () => {
    const purse = createPurse({ usdPerDay: 1, usdPerDayEach: Infinity }, 1, 0)
    const may = () =>
      (['idle', 'confirm', 'recover'] as const).map((purpose) => purse.may(purpose, 0.1, 0, 1))
    assert.deepEqual(may(), [true, true, true])
    purse.spend(0.45, 0, 1)
    assert.deepEqual(may(), [false, true, true])
    purse.spend(0.3, 0, 1)
    assert.deepEqual(may(), [false, false, true])
    purse.spend(0.2, 0, 1)
    assert.deepEqual(may(), [false, false, false])
    assert.equal(purse.may('idle', 0, 0, 1), true)
  })

  test('what turned out to cost nothing is given back, and the next day begins with a full purse', () => {
    const purse = createPurse({ usdPerDay: 1, usdPerDayEach: Infinity }, 1, 0)
    purse.spend(1, 0, 1)
    purse.refund(0.5, 0)
    assert.equal(purse.spentToday(2), 0.5)
    assert.equal(purse.spentToday(86_400_000), 0)
    assert.equal(purse.spentEver(), 0.5)
  })

  test('one key’s budget is spent by that key alone', () => {
    const purse = createPurse({ usdPerDay: 10, usdPerDayEach: 1 }, 2, 0)
    purse.spend(1, 0, 1)
    assert.deepEqual([purse.may('recover', 0.1, 0, 1), purse.may('recover', 0.1, 1, 1)], [false, true])
  })
})

describe('self-isolation', () => {
  test('half of the hosts, and three at least, gone within ten seconds with no answer between', () => {
    const isolation = createSelfIsolation(5)
    isolation.gone(0, 0)
    isolation.gone(1, 1)
    assert.equal(isolation.isIsolated(2), false)
    isolation.gone(2, 2)
    assert.equal(isolation.isIsolated(3), true)
    assert.equal(isolation.isIsolated(10_003), false)
    isolation.gone(0, 10_004)
    isolation.heard(4, 10_005)
    assert.equal(isolation.isIsolated(10_006), false)
  })

  test('with two hosts, one that is gone is simply gone', () => {
    const isolation = createSelfIsolation(2)
    assert.equal(isolation.isAlone(0, 0), false)
  })

  test('a host is alone while no other has answered since', () => {
    const isolation = createSelfIsolation(3)
    isolation.heard(0, 50)
    assert.equal(isolation.isAlone(0, 10), true)
    isolation.heard(1, 60)
    assert.equal(isolation.isAlone(0, 10), false)
    assert.equal(isolation.isAlone(1, 40), false)
    assert.equal(isolation.isAlone(1, 55), true)
  })
})

describe('poison', () => {
  test('one request at two deployments is poison, twice at one is not', () => {
    const poison = createPoison()
    assert.deepEqual(poison.note(7, 1, 0), [])
    assert.deepEqual(poison.note(7, 1, 1), [])
    assert.deepEqual(poison.note(7, 2, 2), [1, 2])
    assert.deepEqual(poison.note(0, 1, 3), [])
    assert.deepEqual(poison.note(0, 2, 3), [])
  })

  test('it is forgotten after two minutes', () => {
    const poison = createPoison()
    poison.note(7, 1, 0)
    poison.note(8, 1, 200_000)
    assert.deepEqual(poison.note(7, 2, 200_001), [])
  })
})

describe('evidence', () => {
  const about = { startedAt: 5, at: 9, lagMs: 0 }
  const failed = (kind: GatewayError['kind'], details = {}) =>
    toEvidence({ kind: 'failed', failure: new GatewayError(kind, 'x', details) }, about)

  test('an upstream’s failure is, ours and the client’s are not held against anybody', () => {
    assert.equal(failed('server_error')?.isAttributable, true)
    assert.equal(failed('server_error', { source: 'client' })?.isAttributable, false)
    assert.equal(failed('timeout', { source: 'gateway' })?.isAttributable, false)
    for (const kind of ['cancelled', 'throttled', 'internal', 'none_available'] as const)
      assert.equal(failed(kind), undefined)
  })

  test('a tenant’s own key or deadline says nothing of ours', () => {
    const outcome = { kind: 'answered', isSlow: false } as const
    assert.equal(toEvidence(outcome, { ...about, isTenantsOwn: true })?.isAttributable, false)
  })

  test('Retry-After goes along', () => {
    assert.equal(failed('rate_limited', { retryAfterMs: 7000 })?.retryAfterMs, 7000)
  })

  test('a filtered answer of a probe is an answer; a refused form is none, and no failure either', () => {
    const probed = (verdict: Parameters<typeof makeUnhealthy>[1]) =>
      toEvidence({ kind: 'probed', verdict: makeUnhealthy(9, verdict), depth: 4 }, about)?.kind
    assert.equal(probed({ reason: 'content_policy' }), 'ok')
    assert.equal(probed({ reason: 'bad_request' }), 'bad_request')
    assert.equal(probed({ reason: 'checks_disabled' }), undefined)
    assert.deepEqual(toEvidence({ kind: 'probed', verdict: makeHealthy(9), depth: 3 }, about), {
      kind: 'ok',
      source: 'probe',
      depth: 3,
      startedAt: 5,
      at: 9,
      isAttributable: true,
    })
  })

  test('a refused connection is remembered as one, whoever retells it', async () => {
    const refused = new GatewayError('unreachable', 'x', { isUnsent: true, isRefused: true })
    await allAdapters()
    const line = lineOf('openai', 'gpt-4o')
    const retold = explain(
      line,
      described(line, { method: 'GET', url: 'http://up.test', headers: {} }, refused),
    )
    assert.deepEqual([retold.isUnsent, retold.isRefused], [true, true])
    assert.deepEqual(metBy(refused), { isRefused: true })
    assert.deepEqual(metBy(new GatewayError('unreachable', 'x')), { isReached: true })
    assert.deepEqual(metBy(new GatewayError('unreachable', 'x', { isUnsent: true })), {})
  })

  test('what is found out by a short wait while our loop lags is nothing; what was said counts', () => {
    const lagging = { ...about, lagMs: 201 }
    const failed = (kind: FailureKind) =>
      toEvidence({ kind: 'failed', failure: { kind, source: 'upstream' } }, lagging)?.kind
    for (const kind of ['timeout', 'unreachable'] as const) assert.equal(failed(kind), undefined, kind)
    for (const kind of ['server_error', 'auth', 'rate_limited', 'cut'] as const)
      assert.equal(failed(kind), kind)
    const refusal = { kind: 'unreachable', source: 'upstream', isUnsent: true, isRefused: true } as const
    assert.equal(toEvidence({ kind: 'failed', failure: refusal }, lagging)?.kind, 'unreachable')
    const closed = makeUnhealthy(9, { reason: 'unreachable', isRefused: true })
    assert.equal(toEvidence({ kind: 'probed', verdict: closed, depth: 4 }, lagging)?.kind, 'unreachable')
    const answered = toEvidence({ kind: 'answered', isSlow: true }, lagging)
    assert.deepEqual([answered?.kind, answered?.isSlow], ['ok', false])
    const late = makeUnhealthy(9, { reason: 'timeout' })
    const patient = { ...lagging, at: about.startedAt + 3 * lagging.lagMs }
    assert.equal(toEvidence({ kind: 'probed', verdict: late, depth: 4 }, patient)?.kind, 'timeout')
    assert.equal(toEvidence({ kind: 'probed', verdict: late, depth: 4 }, lagging), undefined)
    assert.equal(toEvidence({ kind: 'probed', verdict: makeHealthy(9), depth: 4 }, lagging)?.kind, 'ok')
  })
})
