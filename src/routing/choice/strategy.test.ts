import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { ROUTING_STRATEGIES } from '../../core/routing-strategy.ts'
import type { RoutingStrategy } from '../../core/routing-strategy.ts'
import { HEALTH_STATES } from '../../core/health.ts'
import { aDeployment } from '../deployment.fixture.ts'
import { NOTHING } from '../request/need.ts'
import { choose, noneAvailable } from './pick.ts'
import type { PickInputs } from './pick.ts'
import { createStrategy } from './strategy.ts'
import type { Strategy } from './strategy.ts'

/** What a ledger would say of one deployment. */
interface Known {
  readonly inFlight: number
  readonly tokens: number
  readonly latencyMs?: number | undefined
  readonly price: number
}

function strategyOver(
  name: RoutingStrategy,
  known: readonly Known[],
  latencySlack = 0,
): Strategy | undefined {
  return createStrategy(
    { strategy: name, latencyWindowMs: 1000, latencySlack },
    {
      ledger: {
        inFlight: (index) => known[index]?.inFlight ?? 0,
        tokens: (index) => known[index]?.tokens ?? 0,
        latencyMs: (index) => known[index]?.latencyMs,
      },
      price: ({ index }) => known[index]?.price ?? 10,
    },
  )
}

/** Who is chosen among these by any dice. */
function chosenBy(name: RoutingStrategy, known: readonly Known[], slack = 0): ReadonlySet<number> {
  const candidates = known.map((_, index) => ({ deployment: aDeployment(index) }))
  const chosen = new Set<number>()
  for (let face = 0; face < 50; face += 1) {
    const rolls = [face / 50, ((face * 7) % 50) / 50, ((face * 13) % 50) / 50]
    const inputs: PickInputs = {
      health: () => ({ state: 'HEALTHY', since: 0 }),
      problem: () => undefined,
      strategy: strategyOver(name, known, slack),
      random: () => rolls.shift() ?? 0,
    }
    const best = choose(candidates, inputs, NOTHING)
    if (best !== undefined) chosen.add(best.deployment.index)
  }
  return chosen
}

const SAME: Known = { inFlight: 0, tokens: 0, latencyMs: 10, price: 1 }

test('each strategy chooses by what it is named for, and equals by chance', () => {
  type Case = readonly [RoutingStrategy, readonly Partial<Known>[], readonly number[], slack?: number]
  const cases: readonly Case[] = [
    ['simple-shuffle', [{ inFlight: 9 }, { tokens: 9 }, { price: 9 }], [0, 1, 2]],
    ['least-busy', [{ inFlight: 2 }, { inFlight: 1 }, { inFlight: 1 }], [1, 2]],
    ['usage-based-routing', [{ tokens: 5 }, { tokens: 4 }, {}], [2]],
    ['usage-based-routing-v2', [{ tokens: 5 }, { tokens: 4 }, { tokens: 4 }], [1, 2]],
    ['cost-based-routing', [{ price: 2 }, { price: 10 }, { price: 1 }], [2]],
    ['latency-based-routing', [{ latencyMs: 9 }, { latencyMs: 10 }, { latencyMs: 13 }], [0]],
    ['latency-based-routing', [{ latencyMs: 9 }, { latencyMs: 10 }, { latencyMs: 13 }], [0, 1], 0.2],
    ['latency-based-routing', [{ latencyMs: 9 }, { latencyMs: undefined }], [1]],
    ['latency-based-routing', [{ latencyMs: 9 }, { latencyMs: undefined, inFlight: 1 }], [0]],
    [
      'latency-based-routing',
      [
        { latencyMs: undefined, inFlight: 1 },
        { latencyMs: undefined, inFlight: 2 },
      ],
      [0, 1],
    ],
  ]
  for (const [name, known, expected, slack] of cases) {
    const filled = known.map((each) => ({ ...SAME, ...each }))
    assert.deepEqual(
      new Set(chosenBy(name, filled, slack)),
      new Set(expected),
      `${name} ${JSON.stringify(known)}`,
    )
  }
})

test('whatever the strategy, nobody is chosen who may not be while somebody may', () => {
  const known = fc.record({
    inFlight: fc.nat(5),
    tokens: fc.nat(50),
    latencyMs: fc.option(fc.nat(50), { nil: undefined }),
    price: fc.nat(10),
    state: fc.constantFrom(...HEALTH_STATES),
    order: fc.option(fc.nat(2), { nil: undefined }),
    weight: fc.option(fc.nat(3), { nil: undefined }),
    waitMs: fc.constantFrom(0, 0, 700, 30_000),
    isTried: fc.boolean(),
    isBroken: fc.boolean(),
    cooling: fc.constantFrom('no', 'rests', 'useless'),
  })
  const dice = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(
      fc.constantFrom(...ROUTING_STRATEGIES),
      fc.array(known, { minLength: 1, maxLength: 10 }),
      fc.constantFrom(0, 0.5),
      dice,
      (name, all, slack, roll) => {
        const candidates = all.map(({ order, weight }, index) => ({
          deployment: aDeployment(index, {
            traffic: { ...(order !== undefined && { order }), ...(weight !== undefined && { weight }) },
          }),
        }))
        const inputs: PickInputs = {
          health: (index) => ({ state: all[index]?.state ?? 'UNKNOWN', since: 0 }),
          problem: (index) => (all[index]?.isBroken === true ? { message: 'broken' } : undefined),
          cooling: (index) =>
            all[index]?.cooling === 'no'
              ? undefined
              : { kind: 'timeout', leftMs: 1000, isUseless: all[index]?.cooling === 'useless' },
          limitMs: ({ index }) => all[index]?.waitMs ?? 0,
          strategy: strategyOver(name, all, slack),
          random: () => roll,
        }
        const may = all.map(
          (each) => !each.isTried && !each.isBroken && each.cooling !== 'useless' && each.waitMs === 0,
        )
        const chosen = choose(candidates, inputs, NOTHING, (index) => all[index]?.isTried === true)
        assert.equal(chosen !== undefined, may.includes(true))
        if (chosen === undefined) {
          const { kind, retryAfterMs } = noneAvailable('g', candidates, inputs, NOTHING)
          const waits = all.filter((each) => !each.isBroken && each.cooling !== 'useless' && each.waitMs > 0)
          assert.equal(kind, waits.length > 0 ? 'throttled' : 'none_available')
          if (waits.length > 0)
            assert.equal(retryAfterMs, Math.max(1000, Math.min(...waits.map(({ waitMs }) => waitMs))))
        } else assert.equal(may[chosen.deployment.index], true)
      },
    ),
  )
})
