import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Deployment } from '../core/deployment.ts'
import type { EngineRuleSet } from './engine-rules.ts'
import type { Member } from './engine/engine.ts'
import { DEFAULT_LOOK_RULES, DEFAULT_RULES } from './engine/rules.ts'
import type { LookRules } from './engine/rules.ts'
import type { PurseRules } from './engine/purse.ts'
import { makeDeployment, makeProbeSettings } from './fixtures.ts'
import { planHealth } from './plan.ts'
import type { HealthPlan } from './plan.ts'

const NO_LIMIT: PurseRules = { usdPerDay: Infinity, usdPerDayEach: Infinity }

function ruleSet(look: Partial<LookRules> = {}, purse: Partial<PurseRules> = {}): EngineRuleSet {
  return {
    rules: DEFAULT_RULES,
    look: { ...DEFAULT_LOOK_RULES, ...look },
    purse: { ...NO_LIMIT, ...purse },
    admission: { total: 64, perHost: 4, perCredential: 2 },
    hasLastResort: true,
  }
}

function member(index: number, changes: Partial<Member> = {}): Member {
  return { host: index, credential: index, group: index, price: 1e-3, hasFree: true, ...changes }
}

function planned(
  members: readonly Member[],
  set: EngineRuleSet,
  more: {
    readonly most?: number
    readonly groups?: readonly string[]
    readonly changes?: Partial<Deployment>
  } = {},
): HealthPlan {
  return planHealth({
    deployments: members.map((_, index) => makeDeployment({ index, group: `g${index}`, ...more.changes })),
    members,
    priceOf: ({ index }) => members[index]?.price ?? 0,
    set,
    most: more.most ?? 1000,
    ...(more.groups && { groups: more.groups }),
  })
}

const one = (set: EngineRuleSet, changes: Partial<Member> = {}): HealthPlan =>
  planned([member(0, changes)], set)
const within = (value: number, least: number, most: number): void =>
  assert.ok(value >= least && value <= most, `${value} is not between ${least} and ${most}`)

describe('an idle day of one deployment', () => {
  test('backs off to an hour, with a free look at each interval', () => {
    const { idle, busy, liteLlm } = one(ruleSet())
    // 5, 10, 20 and 40 minutes after the first look, then each hour, up to a tenth early.
    within(idle.probes, 26, 31)
    within(idle.free, 260, 320)
    within(busy.probes, 0, 4)
    assert.equal(liteLlm.probes, 288)
    assert.equal(Number(liteLlm.usd.toPrecision(6)), 0.288)
  })

  test('with a written interval nothing grows older than it', () => {
    within(one(ruleSet({ idleMostMs: 300_000 })).idle.probes, 288, 322)
  })

  test('always: at each interval, busy too', () => {
    const { idle, busy } = one(ruleSet({ strategy: 'always' }))
    within(idle.probes, 288, 322)
    within(busy.probes, 286, 322)
  })

  test('free_only: only free looks; off and on_demand: none at all', () => {
    const free = one(ruleSet({ strategy: 'free_only' })).idle
    assert.equal(free.probes, 0)
    within(free.free, 260, 322)
    for (const strategy of ['off', 'on_demand'] as const)
      assert.deepEqual(one(ruleSet({ strategy })).idle, { probes: 0, usd: 0, free: 0 })
  })

  test('golden looks are counted, busy or idle, at their own price', () => {
    const set = ruleSet({ strategy: 'passive_first' })
    const [plain, golden] = [one(set), one(set, { goldenPrice: 0.5 })]
    assert.ok(golden.busy.usd >= 0.5 && golden.busy.usd < 1.01, `${golden.busy.usd}`)
    assert.ok(golden.idle.usd - plain.idle.usd >= 0.49, `${golden.idle.usd}`)
  })

  test('one that is never bought costs nothing', () => {
    const { idle, budget } = one(ruleSet(), { price: Infinity, hasFree: false })
    assert.deepEqual(idle, { probes: 0, usd: 0, free: 0 })
    assert.equal(budget.cut.probes, 0)
  })
})

describe('the budget', () => {
  test('stops looks at the well at half of it, and says what that leaves out', () => {
    const { idle, budget } = one(ruleSet({ strategy: 'always' }, { usdPerDay: 0.2 }))
    within(idle.probes, 99, 100)
    within(budget.cut.probes, 188, 222)
    within(budget.cut.usd, 0.188, 0.222)
  })

  test('of each key is its own', () => {
    const members = [member(0), member(1, { credential: 0 }), member(2)]
    const { rows } = planned(members, ruleSet({ strategy: 'always' }, { usdPerDayEach: 0.1 }))
    const [first = 0, second = 0, third = 0] = rows.map(({ idle }) => idle.probes)
    within(first + second, 49, 50)
    within(third, 49, 50)
  })

  test('that no single look fits into cuts them all', () => {
    const { idle, budget } = one(ruleSet({}, { usdPerDay: 0.001 }))
    assert.equal(idle.probes, 0)
    within(budget.cut.probes, 26, 31)
  })
})

describe('many deployments', () => {
  const fleet = Array.from({ length: 600 }, (_, index) =>
    member(index, { price: [1e-5, 1e-3, 0][index % 3] ?? 0, hasFree: index % 2 === 0 }),
  )

  test('are simulated by kind, and come to what all of them together come to', () => {
    const set = ruleSet({}, { usdPerDay: 50 })
    const whole = planned(fleet, set).idle
    const sampled = planned(fleet, set, { most: 30 }).idle
    within(sampled.probes / whole.probes, 0.9, 1.1)
    within(sampled.usd / whole.usd, 0.9, 1.1)
    within(sampled.free / whole.free, 0.9, 1.1)
  })

  test('a thousand have a plan, though no two cost the same', () => {
    const members = Array.from({ length: 1000 }, (_, index) => member(index, { price: 1e-5 + index * 1e-7 }))
    const { rows } = planned(members, ruleSet({}, { usdPerDay: 1 }))
    assert.equal(rows.length, 1000)
  })
})

test('the same config has the same plan each time', () => {
  assert.deepEqual(one(ruleSet()), one(ruleSet()))
})

test('what LiteLLM leaves alone as well costs nothing there', () => {
  const off = { probe: makeProbeSettings({ backgroundDisabled: true }) }
  assert.equal(planned([member(0)], ruleSet(), { changes: off }).liteLlm.probes, 0)
  assert.equal(planned([member(0), member(1)], ruleSet(), { groups: ['g1'] }).liteLlm.probes, 288)
})
