import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { EngineSettings } from '../core/engine-settings.ts'
import { engineRulesOf } from './engine-rules.ts'
import { NOTHING_WRITTEN } from './fixtures.ts'
import {
  makeFailedProbe,
  makeMember,
  makeOk,
  play,
  sicken,
  statesOf,
  wellRig,
} from './engine/engine.fixture.ts'
import { nextProbe } from './engine/next-probe.ts'
import { DEFAULT_LOOK_RULES, DEFAULT_RULES } from './engine/rules.ts'

const { thresholds, confirm, down, budget, concurrency, traffic } = NOTHING_WRITTEN

/** Every rule by its path, so that a case can name those that it changes and no other. */
function flat(value: object, path = '', into = new Map<string, unknown>()): ReadonlyMap<string, unknown> {
  for (const [name, inner] of Object.entries(value)) {
    const isBlock = typeof inner === 'object' && inner !== null
    if (isBlock) flat(inner, `${path}${name}.`, into)
    else into.set(`${path}${name}`, inner)
  }
  return into
}

function changes(settings: Partial<EngineSettings>): Readonly<Record<string, unknown>> {
  const before = flat(engineRulesOf(NOTHING_WRITTEN))
  const after = flat(engineRulesOf({ ...NOTHING_WRITTEN, ...settings }))
  return Object.fromEntries([...after].filter(([path, value]) => before.get(path) !== value))
}

describe('what is written changes its rules, and no other', () => {
  const table: readonly (readonly [string, Partial<EngineSettings>, Readonly<Record<string, unknown>>])[] = [
    ['nothing', {}, {}],
    ['background_health_checks: false', { isLooking: false }, { 'look.strategy': 'off' }],
    [
      'on_demand without background checks',
      { isLooking: false, strategy: 'on_demand' },
      { 'look.strategy': 'on_demand' },
    ],
    [
      'always without background checks',
      { isLooking: false, strategy: 'always' },
      { 'look.strategy': 'off' },
    ],
    ['health_check_strategy', { strategy: 'always' }, { 'look.strategy': 'always' }],
    [
      'health_check_interval, a promise',
      { intervalMs: 60_000 },
      { 'look.intervalMs': 60_000, 'look.idleMostMs': 60_000 },
    ],
    [
      'a long interval',
      { intervalMs: 600_000 },
      { 'look.intervalMs': 600_000, 'look.idleMostMs': 600_000, 'rules.forgetMs': 1_800_000 },
    ],
    ['health_check_idle_max', { idleMostMs: 900_000 }, { 'look.idleMostMs': 900_000 }],
    ['thresholds.failures', { thresholds: { ...thresholds, failures: 3 } }, { 'rules.failures': 3 }],
    [
      'thresholds.failures: 1, which one prompt must do for',
      { thresholds: { ...thresholds, failures: 1 } },
      { 'rules.failures': 1, 'rules.leastPrompts': 1 },
    ],
    ['thresholds.ratio', { thresholds: { ...thresholds, ratio: 0.2 } }, { 'rules.ratio': 0.2 }],
    [
      'thresholds.min_requests',
      { thresholds: { ...thresholds, leastRequests: 9 } },
      { 'rules.leastRequests': 9 },
    ],
    ['thresholds.window', { thresholds: { ...thresholds, windowMs: 9000 } }, { 'rules.windowMs': 9000 }],
    [
      'thresholds.rise',
      { thresholds: { ...thresholds, rise: 5 } },
      { 'rules.rise': 5, 'rules.riseFlapping': 10 },
    ],
    ['suspect_confirm.min', { confirm: { ...confirm, leastMs: 2000 } }, { 'look.confirmLeastMs': 2000 }],
    [
      'suspect_confirm.min above the usual most',
      { confirm: { ...confirm, leastMs: 9000 } },
      { 'look.confirmLeastMs': 9000, 'look.confirmMostMs': 9000 },
    ],
    [
      'suspect_confirm.max below the usual least',
      { confirm: { ...confirm, mostMs: 200 } },
      { 'look.confirmLeastMs': 200, 'look.confirmMostMs': 200, 'look.confirmFreeMs': 200 },
    ],
    ['suspect_confirm.max', { confirm: { ...confirm, mostMs: 8000 } }, { 'look.confirmMostMs': 8000 }],
    ['down.first', { down: { ...down, firstMs: 9000 } }, { 'look.down.firstMs': 9000 }],
    ['down.factor', { down: { ...down, factor: 2 } }, { 'look.down.factor': 2 }],
    [
      'down.cap, above which nothing grows',
      { down: { ...down, capMs: 10_000 } },
      { 'look.down.capFreeMs': 10_000, 'look.down.capMs': 10_000, 'look.down.capOldMs': 10_000 },
    ],
    [
      'a long down.cap',
      { down: { ...down, capMs: 900_000 } },
      { 'look.down.capMs': 900_000, 'look.down.capMidMs': 900_000, 'look.down.capDearMs': 900_000 },
    ],
    [
      'down.cap_mid',
      { down: { ...down, capMidMs: 100_000 } },
      { 'look.down.capMidMs': 100_000, 'look.down.capOldMs': 100_000 },
    ],
    ['down.cap_dear', { down: { ...down, capDearMs: 1_800_000 } }, { 'look.down.capDearMs': 1_800_000 }],
    [
      'coolfallentime',
      { traffic: { ...traffic, cooldownMs: 90_000 } },
      { 'rules.saturatedMs': 90_000, 'rules.saturatedMostMs': 90_000, 'look.down.firstMs': 90_000 },
    ],
    [
      'down.first beside coolfallentime',
      { traffic: { ...traffic, cooldownMs: 60_000 }, down: { ...down, firstMs: 7000 } },
      { 'rules.saturatedMs': 60_000, 'look.down.firstMs': 7000 },
    ],
    ['disable_cooldowns', { traffic: { ...traffic, isHeeded: false } }, { 'rules.isTrafficHeeded': false }],
    ['allowed_fails', { traffic: { ...traffic, allowedFails: 3 } }, { 'rules.allowedFails': 3 }],
    [
      'allowed_fails_policy',
      { traffic: { ...traffic, allowedFailsByKind: { timeout: 2 } } },
      { 'rules.allowedFailsByKind.timeout': 2 },
    ],
    ['budget.usd_per_day', { budget: { ...budget, usdPerDay: 1 } }, { 'purse.usdPerDay': 1 }],
    ['budget.usd_per_day: 0', { budget: { ...budget, usdPerDay: 0 } }, { 'purse.usdPerDay': 0 }],
    ['budget.per_credential', { budget: { ...budget, usdPerDayEach: 0.5 } }, { 'purse.usdPerDayEach': 0.5 }],
    ['budget.price_ceiling', { budget: { ...budget, priceCeiling: 0.1 } }, { 'look.priceCeiling': 0.1 }],
    ['concurrency.global', { concurrency: { ...concurrency, total: 9 } }, { 'admission.total': 9 }],
    ['concurrency.per_host', { concurrency: { ...concurrency, perHost: 9 } }, { 'admission.perHost': 9 }],
    [
      'concurrency.per_credential',
      { concurrency: { ...concurrency, perCredential: 9 } },
      { 'admission.perCredential': 9 },
    ],
    ['health_check_panic: off', { hasLastResort: false }, { hasLastResort: false }],
    ['health_check_self_isolation: false', { noticesIsolation: false }, { 'rules.noticesIsolation': false }],
    ['enable_health_check_routing: false', { steersRouting: false }, { 'rules.isProbeHeeded': false }],
    [
      'health_check_ignore_transient_errors',
      { ignoresTransientErrors: true },
      { 'rules.ignoreTransientErrors': true },
    ],
    ['health_check_staleness_threshold', { forgetMs: 60_000 }, { 'rules.forgetMs': 60_000 }],
  ]
  for (const [name, settings, expected] of table)
    test(name, () => {
      assert.deepEqual(changes(settings), expected)
    })
})

test('where nothing is written, the rules are the defaults that the engine was measured with', () => {
  assert.deepEqual(engineRulesOf(NOTHING_WRITTEN), {
    rules: DEFAULT_RULES,
    look: DEFAULT_LOOK_RULES,
    purse: { usdPerDay: 5, usdPerDayEach: Number.POSITIVE_INFINITY },
    admission: { total: 64, perHost: 16, perCredential: 16 },
    hasLastResort: true,
  })
})

describe('what only a setting can switch', () => {
  test('with enable_health_check_routing: false a failed probe takes no traffic away', () => {
    const { rules } = engineRulesOf({ ...NOTHING_WRITTEN, steersRouting: false })
    const inputs = [makeOk(0), makeFailedProbe(1), makeFailedProbe(2), makeFailedProbe(3)]
    assert.equal(play(inputs, rules).state, 'HEALTHY')
    assert.notEqual(play(inputs).state, 'HEALTHY')
  })

  test('with health_check_self_isolation: false all hosts may go down at once', () => {
    for (const noticesIsolation of [true, false]) {
      const { rules } = engineRulesOf({ ...NOTHING_WRITTEN, noticesIsolation })
      const rig = wellRig(
        [0, 1, 2, 3].map((index) => makeMember(index)),
        { rules },
      )
      sicken(rig, () => true, 'unreachable')
      for (let at = 0; at < 20; at += 1) {
        for (const index of [0, 1, 2, 3]) rig.call(index, 'unreachable')
        rig.clock.wind(1000)
      }
      rig.engine.stop()
      assert.equal(statesOf(rig).includes('DOWN'), !noticesIsolation)
    }
  })

  test('cap_dear is the longest wait of a deployment that nobody pays to look at', () => {
    const { look } = engineRulesOf({
      ...NOTHING_WRITTEN,
      down: { ...down, capMs: 10_000, capDearMs: 900_000 },
    })
    const fallen = {
      ...play([makeOk(0)]),
      state: 'DOWN',
      reason: 'timeout',
      since: 0,
      downSince: 0,
      waits: 40,
    } as const
    const prices = {
      price: 0.04,
      hasFree: false,
      spreadMs: 0,
      may: { idle: true, confirm: true, recover: true },
    }
    assert.deepEqual(nextProbe(fallen, 1, prices, 0.5, look), {
      at: 900_000,
      rung: 'trial',
      purpose: 'recover',
    })
    assert.equal(nextProbe(fallen, 1, { ...prices, price: 1e-5 }, 0.5, look)?.at, 10_000)
  })
})
