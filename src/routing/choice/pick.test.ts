import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Deployment, Traffic } from '../../core/deployment.ts'
import { HEALTH_STATES } from '../../core/health.ts'
import type { HealthState } from '../../core/health.ts'
import type { Choices } from '../../health/engine/choices.ts'
import { aDeployment } from '../deployment.fixture.ts'
import { makeHealthLink } from '../health.fixture.ts'
import { NOTHING } from '../request/need.ts'
import { choose, noneAvailable, pick } from './pick.ts'
import type { GatewayError } from '../../core/failure.ts'

const deployment = (index: number, traffic?: Traffic): Deployment =>
  aDeployment(index, traffic && { traffic })

function choicesIn(states: readonly HealthState[]): Choices {
  return makeHealthLink(
    states.map(() => ({ group: 'g' })),
    { states },
  ).engine.choices
}

/** Picks among deployments in these states; `null` is one that cannot be called. */
function pickAmong(states: readonly (HealthState | null)[], random: () => number): number {
  const candidates = states.map((_, index) => ({ deployment: deployment(index) }))
  return pick('g', candidates, {
    choices: choicesIn(states.map((state) => state ?? 'UNKNOWN')),
    now: () => 0,
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
    [['SUSPECT', 'DEGRADED'], 1],
    [['SUSPECT', 'DOWN'], 0],
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
    SATURATED: 2,
    DOWN: 3,
    // Never asked: somebody must mend them, or has taken them out.
    MISCONFIGURED: Infinity,
    ISOLATED: Infinity,
  }
  const state = fc.constantFrom<HealthState | null>(...HEALTH_STATES, null)
  fc.assert(
    fc.property(
      fc.array(state, { minLength: 1, maxLength: 12 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (states, dice) => {
        const callable = states.flatMap((each) => (each === null ? [] : rank[each]))
        const best = Math.min(...callable)
        if (best === Infinity) {
          assert.throws(() => pickAmong(states, () => dice), { kind: 'none_available' })
          return
        }
        const chosen = states[pickAmong(states, () => dice)]
        assert.ok(chosen !== undefined && chosen !== null)
        assert.equal(rank[chosen], best)
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
        choices: choicesIn(['HEALTHY', 'HEALTHY', 'HEALTHY']),
        now: () => 0,
        problem: (index) => (leftMs[index] === undefined ? { message: 'set KEY' } : undefined),
        outOfReach: (index) => leftMs[index],
        random: () => 0,
      },
      NOTHING,
    )
  const failure = failureAfter([90_000, undefined, 61_500])
  assert.equal(failure.retryAfterMs, 61_500)
  assert.equal(
    failure.message,
    'No deployment of model=g can be called. openai/m (id-0): HEALTHY (not_checked_yet) since 0 s, no connection comes about, tried again in 90 s; openai/m (id-1): set KEY; openai/m (id-2): HEALTHY (not_checked_yet) since 0 s, no connection comes about, tried again in 62 s. See GET /health.',
  )
  assert.equal(failureAfter([5000, 0, 5000]).retryAfterMs, 1000, 'one is being tried')
})

/** How often each of these is chosen by dice that fall evenly. */
function sharesOf(
  traffics: readonly (Traffic | undefined)[],
  states: readonly HealthState[] = [],
): readonly number[] {
  const counts = traffics.map(() => 0)
  const candidates = traffics.map((traffic, index) => ({ deployment: deployment(index, traffic) }))
  const choices = choicesIn(traffics.map((_, index) => states[index] ?? 'HEALTHY'))
  const FACES = 60
  for (let first = 0; first < FACES; first++)
    for (let second = 0; second < FACES; second++) {
      const rolls = [(first + 0.5) / FACES, (second + 0.5) / FACES]
      const chosen = pick('g', candidates, {
        choices,
        now: () => 0,
        problem: () => undefined,
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

test('health comes before order and weight', () => {
  assert.deepEqual(sharesOf([{ order: 1 }, { order: 2 }], ['DOWN', 'HEALTHY']), [0, 1])
  assert.deepEqual(sharesOf([{ weight: 99 }, { weight: 0 }], ['DOWN', 'HEALTHY']), [0, 1])
  assert.deepEqual(sharesOf([{ order: 1 }, { order: 2 }], ['SUSPECT', 'HEALTHY']), [0, 1])
  assert.deepEqual(sharesOf([undefined, undefined], ['SUSPECT', 'SUSPECT']), [0.5, 0.5])
})

test('one that is not quite well has a part of its share', () => {
  const [well = 0, sick = 0] = sharesOf([undefined, undefined], ['HEALTHY', 'DEGRADED'])
  assert.ok(sick > 0.2 && sick < 0.4 && well > 0.6, `${well} and ${sick}`)
})

test('nobody is sent to the sick while one that merely failed this request is well', () => {
  const candidates = [0, 1].map((index) => ({ deployment: deployment(index) }))
  const inputs = {
    choices: choicesIn(['HEALTHY', 'DOWN']),
    now: () => 0,
    problem: () => undefined,
    random: () => 0,
  }
  assert.equal(
    choose(candidates, inputs, NOTHING, (index) => index === 0),
    undefined,
  )
})

test('where all are down the client learns the state, the reason and the next look of each', () => {
  const choices = choicesIn(['MISCONFIGURED', 'ISOLATED'])
  const candidates = [0, 1].map((index) => ({ deployment: deployment(index) }))
  const inputs = { choices, now: () => 7000, problem: () => undefined, random: () => 0 }
  assert.throws(() => pick('g', candidates, inputs), {
    kind: 'none_available',
    message: /MISCONFIGURED .*since 7 s.*ISOLATED .*since 7 s/,
  })
})
