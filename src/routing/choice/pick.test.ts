import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Deployment, Traffic } from '../../core/deployment.ts'
import { HEALTH_STATES } from '../../core/health.ts'
import type { HealthState } from '../../core/health.ts'
import { pick, noneAvailable } from './pick.ts'
import type { GatewayError } from '../../core/failure.ts'
import { NOTHING } from '../request/need.ts'

function deployment(index: number, traffic?: Traffic): Deployment {
  return {
    index,
    id: `id-${index}`,
    group: 'g',
    model: 'openai/m',
    provider: 'openai',
    upstreamModel: 'm',
    mode: 'chat',
    modeSource: 'default',
    connection: { headers: {} },
    bodyDefaults: {},
    timeouts: {},
    ...(traffic && { traffic }),
    probe: { params: {}, backgroundDisabled: false },
    shown: {},
    clientConnectionFields: [],
    shownParams: {},
    info: {},
  }
}

/** Picks among deployments in these states; `null` is one that cannot be called. */
function pickAmong(states: readonly (HealthState | null)[], random: () => number): number {
  const candidates = states.map((_, index) => ({ deployment: deployment(index) }))
  return pick('g', candidates, {
    health: (index) => ({ state: states[index] ?? 'UNKNOWN', since: 0 }),
    problem: (index) => (states[index] === null ? { message: `set KEY_${index}` } : undefined),
    random,
  }).deployment.index
}

test('the best health is chosen, whatever the dice say', () => {
  const cases: readonly (readonly [readonly (HealthState | null)[], number])[] = [
    [['DOWN', 'HEALTHY', 'SATURATED'], 1],
    [['DOWN', 'UNKNOWN', 'SATURATED'], 1],
    [['MISCONFIGURED', 'DOWN'], 1],
    [['DOWN', 'SATURATED'], 1],
    [['MISCONFIGURED'], 0],
    [[null, 'MISCONFIGURED'], 1],
    [[null, 'DOWN', null], 1],
  ]
  for (const [states, expected] of cases) {
    for (const dice of [0, 0.5, 0.999])
      assert.equal(
        pickAmong(states, () => dice),
        expected,
        states.join(),
      )
  }
})

test('equals share the requests evenly', () => {
  const counts = [0, 0, 0, 0]
  // Three equals take two rolls: every pair of six faces, once.
  for (let first = 0; first < 6; first++) {
    for (let second = 0; second < 6; second++) {
      const rolls = [(first + 0.5) / 6, (second + 0.5) / 6]
      const chosen = pickAmong(['HEALTHY', 'DOWN', 'UNKNOWN', 'HEALTHY'], () => rolls.shift() ?? 0)
      counts[chosen] = (counts[chosen] ?? 0) + 1
    }
  }
  assert.deepEqual(counts, [12, 0, 12, 12])
})

test('a sick deployment is never chosen while a better one can be called', () => {
  const rank: Record<HealthState, number> = {
    HEALTHY: 0,
    UNKNOWN: 0,
    DEGRADED: 0,
    RECOVERING: 0,
    SUSPECT: 1,
    SATURATED: 1,
    DOWN: 2,
    MISCONFIGURED: 3,
    ISOLATED: 4,
  }
  const state = fc.constantFrom<HealthState | null>(...HEALTH_STATES, null)
  fc.assert(
    fc.property(
      fc.array(state, { minLength: 1, maxLength: 12 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (states, dice) => {
        const callable = states.flatMap((each) => (each === null ? [] : rank[each]))
        fc.pre(callable.length > 0)
        const chosen = states[pickAmong(states, () => dice)]
        assert.ok(chosen !== undefined && chosen !== null)
        assert.equal(rank[chosen], Math.min(...callable))
      },
    ),
  )
})

test('where nothing can be called the client learns why, of each', () => {
  assert.throws(() => pickAmong([null, null], () => 0), {
    kind: 'none_available',
    clientStatus: 503,
    retryAfterMs: 30_000,
    source: 'gateway',
    message:
      'No deployment of model=g can be called. openai/m (id-0): set KEY_0; openai/m (id-1): set KEY_1. See GET /health.',
  })
})

test('where nobody can connect the client learns when the first of them is tried again', () => {
  const candidates = [0, 1, 2].map((index) => ({ deployment: deployment(index) }))
  const failureAfter = (leftMs: readonly (number | undefined)[]): GatewayError =>
    noneAvailable(
      'g',
      candidates,
      {
        health: () => ({ state: 'HEALTHY', since: 0 }),
        problem: (index) => (leftMs[index] === undefined ? { message: 'set KEY' } : undefined),
        cooling: (index) => ({ kind: 'unreachable', leftMs: leftMs[index] ?? 0, isUseless: true }),
        random: () => 0,
      },
      NOTHING,
    )
  const failure = failureAfter([90_000, undefined, 61_500])
  assert.equal(failure.retryAfterMs, 61_500)
  assert.equal(
    failure.message,
    'No deployment of model=g can be called. openai/m (id-0): put aside after unreachable, tried again in 90 s; openai/m (id-1): set KEY; openai/m (id-2): put aside after unreachable, tried again in 62 s. See GET /health.',
  )
  assert.equal(failureAfter([5000, 0, 5000]).retryAfterMs, 1000, 'one is being tried')
})

/** How often each of these is chosen by dice that fall evenly. */
function sharesOf(
  traffics: readonly (Traffic | undefined)[],
  states: readonly HealthState[] = [],
  coolingIndexes: readonly number[] = [],
): readonly number[] {
  const counts = traffics.map(() => 0)
  const candidates = traffics.map((traffic, index) => ({ deployment: deployment(index, traffic) }))
  const FACES = 60
  for (let first = 0; first < FACES; first++)
    for (let second = 0; second < FACES; second++) {
      const rolls = [(first + 0.5) / FACES, (second + 0.5) / FACES]
      const chosen = pick('g', candidates, {
        health: (index) => ({ state: states[index] ?? 'HEALTHY', since: 0 }),
        problem: () => undefined,
        cooling: (index) =>
          coolingIndexes.includes(index) ? { kind: 'timeout', leftMs: 1, isUseless: false } : undefined,
        random: () => rolls.shift() ?? 0,
      }).deployment.index
      counts[chosen] = (counts[chosen] ?? 0) + 1
    }
  return counts.map((count) => count / FACES ** 2)
}

test('weights share the traffic, then rpm, then tpm; a lower order comes first', () => {
  const cases: readonly (readonly [readonly (Traffic | undefined)[], readonly number[]])[] = [
    [
      [{ weight: 1 }, { weight: 3 }],
      [0.25, 0.75],
    ],
    [
      [{ weight: 2 }, { weight: 1 }, { weight: 1 }],
      [0.5, 0.25, 0.25],
    ],
    [
      [
        { weight: 1, rpm: 9 },
        { weight: 1, rpm: 1 },
      ],
      [0.5, 0.5],
    ],
    [
      [{ rpm: 300 }, { rpm: 100 }],
      [0.75, 0.25],
    ],
    [
      [{ tpm: 100 }, { tpm: 300 }],
      [0.25, 0.75],
    ],
    [
      [{ weight: 5 }, undefined],
      [1, 0],
    ],
    [
      [undefined, { weight: 5 }],
      [0.5, 0.5],
    ],
    [
      [{ weight: 0 }, { weight: 1 }],
      [0, 1],
    ],
    [
      [{ order: 2 }, { order: 1 }, { order: 1 }],
      [0, 0.5, 0.5],
    ],
    [
      [undefined, { order: 1 }],
      [0, 1],
    ],
  ]
  for (const [traffics, shares] of cases)
    assert.deepEqual(sharesOf(traffics), shares, JSON.stringify(traffics))
})

test('health comes before order and weight, and so does a rest', () => {
  assert.deepEqual(sharesOf([{ order: 1 }, { order: 2 }], ['DOWN', 'HEALTHY']), [0, 1])
  assert.deepEqual(sharesOf([{ weight: 99 }, { weight: 0 }], ['DOWN', 'HEALTHY']), [0, 1])
  assert.deepEqual(sharesOf([{ order: 1 }, { order: 2 }], [], [0]), [0, 1])
  assert.deepEqual(sharesOf([undefined, undefined], [], [0, 1]), [0.5, 0.5])
})
