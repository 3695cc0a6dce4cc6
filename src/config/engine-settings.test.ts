import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { loadText, problemsOf } from './load-text.fixture.ts'

const ONE = 'model_list:\n- model_name: m\n  litellm_params: {model: openai/x}\ngeneral_settings:\n'

test('every setting of the health engine is read, seconds as milliseconds', async () => {
  const { engine } = await loadText(`${ONE}  background_health_checks: true
  health_check_strategy: always
  health_check_interval: 60
  health_check_idle_max: 120
  health_check_thresholds: { failures: 3, ratio: 0.4, min_requests: 10, window: 20, rise: 1 }
  health_check_suspect_confirm: { min: 0.5, max: "4" }
  health_check_down: { first: 2, factor: 2, cap: 10, cap_mid: 20, cap_dear: 30 }
  health_check_budget: { usd_per_day: 1.5, price_ceiling: 0.01, per_credential: 0.25 }
  health_check_concurrency: { global: 9, per_host: 3, per_credential: 1 }
  health_check_panic: off
  health_check_self_isolation: false
  enable_health_check_routing: false
  health_check_ignore_transient_errors: true
  health_check_staleness_threshold: 700
router_settings: { cooldown_time: 8, allowed_fails: 4, allowed_fails_policy: { TimeoutErrorAllowedFails: 1 } }
`)
  assert.deepEqual(engine, {
    isLooking: true,
    strategy: 'always',
    intervalMs: 60_000,
    idleMostMs: 120_000,
    thresholds: { failures: 3, ratio: 0.4, leastRequests: 10, windowMs: 20_000, rise: 1 },
    confirm: { leastMs: 500, mostMs: 4000 },
    down: { firstMs: 2000, factor: 2, capMs: 10_000, capMidMs: 20_000, capDearMs: 30_000 },
    budget: { usdPerDay: 1.5, usdPerDayEach: 0.25, priceCeiling: 0.01 },
    concurrency: { total: 9, perHost: 3, perCredential: 1 },
    hasLastResort: false,
    noticesIsolation: false,
    steersRouting: false,
    ignoresTransientErrors: true,
    forgetMs: 700_000,
    traffic: { isHeeded: true, cooldownMs: 8000, allowedFails: 4, allowedFailsByKind: { timeout: 1 } },
  })
})

test("a plain health_check_concurrency is the number of all, and 0 none of the user's", async () => {
  const total = async (value: string): Promise<number | undefined> =>
    (await loadText(`${ONE}  health_check_concurrency: ${value}\n`)).engine.concurrency.total
  assert.equal(await total('7'), 7)
  assert.equal(await total('0'), undefined)
  const { general } = await loadText(`${ONE}  health_check_concurrency: { global: 5 }\n`)
  assert.equal(general.healthCheckConcurrency, 5)
})

test('a staleness of 0 is none that was written', async () => {
  const { engine } = await loadText(`${ONE}  health_check_staleness_threshold: 0\n`)
  assert.equal(engine.forgetMs, undefined)
})

test('a cooldown of no time, and none at all, leave failing traffic without a say', async () => {
  const { engine } = await loadText(`${ONE}router_settings: { cooldown_time: 0 }\n`)
  assert.deepEqual([engine.traffic.isHeeded, engine.traffic.cooldownMs], [false, undefined])
  const other = await loadText(`${ONE}router_settings: { disable_cooldowns: true }\n`)
  assert.equal(other.engine.traffic.isHeeded, false)
})

describe('what cannot be stops the start, and says where it stands', () => {
  const table: readonly (readonly [string, string])[] = [
    [
      'health_check_thresholds: { failurs: 3 }',
      'fatal config.yaml:5:30 general_settings.health_check_thresholds.failurs: unknown key; did you mean "failures"?',
    ],
    [
      'health_check_budget: { usd_per_dya: 3 }',
      'fatal config.yaml:5:26 general_settings.health_check_budget.usd_per_dya: unknown key; did you mean "usd_per_day"?',
    ],
    [
      'health_check_concurrency: { per_hots: 3 }',
      'fatal config.yaml:5:31 general_settings.health_check_concurrency.per_hots: unknown key; did you mean "per_host"?',
    ],
    [
      'health_check_concurrency: { per_host: 0 }',
      'fatal config.yaml:5:41 general_settings.health_check_concurrency.per_host: must be a whole number above 0, not 0',
    ],
    [
      'health_check_concurrency: many',
      'fatal config.yaml:5:29 general_settings.health_check_concurrency: must be a number, or a map, not text',
    ],
    [
      'health_check_thresholds: { ratio: 1.5 }',
      'fatal config.yaml:5:37 general_settings.health_check_thresholds.ratio: must be a number above 0, up to 1, not 1.5',
    ],
    [
      'health_check_thresholds: { rise: 0.5 }',
      'fatal config.yaml:5:36 general_settings.health_check_thresholds.rise: must be a whole number above 0, not 0.5',
    ],
    [
      'health_check_suspect_confirm: { min: 9, max: 2 }',
      'fatal config.yaml:5:40 general_settings.health_check_suspect_confirm.min: min must not be above max, not 9',
    ],
    [
      'health_check_down: { first: 90, cap: 60 }',
      'fatal config.yaml:5:31 general_settings.health_check_down.first: first must not be above cap, not 90',
    ],
    [
      'health_check_down: { factor: 0.5 }',
      'fatal config.yaml:5:32 general_settings.health_check_down.factor: must be a number from 1 on, not 0.5',
    ],
    [
      'health_check_down: { cap: 60, cap_dear: 50 }',
      'fatal config.yaml:5:43 general_settings.health_check_down.cap_dear: cap_dear must not be below the other caps, not 50',
    ],
    [
      'health_check_budget: { usd_per_day: -1 }',
      'fatal config.yaml:5:39 general_settings.health_check_budget.usd_per_day: must not be negative, not -1',
    ],
    [
      'health_check_budget: cheap',
      'fatal config.yaml:5:24 general_settings.health_check_budget: must be a map, not text',
    ],
    [
      'health_check_strategy: sometimes',
      'fatal config.yaml:5:26 general_settings.health_check_strategy: must be one of passive_first, always, free_only, on_demand, off, not text',
    ],
    [
      'health_check_panic: fire',
      'fatal config.yaml:5:23 general_settings.health_check_panic: must be last_resort or off, not text',
    ],
    [
      'health_check_staleness_threshold: -1',
      'fatal config.yaml:5:37 general_settings.health_check_staleness_threshold: must not be negative, not -1',
    ],
    [
      'health_check_idle_max: 60\n  health_check_interval: 300',
      'fatal config.yaml:5:26 general_settings.health_check_idle_max: must not be below health_check_interval (300), not 60',
    ],
    [
      'health_check_strategy: always',
      'warning config.yaml:5:26 general_settings.health_check_strategy: does nothing without background_health_checks: true',
    ],
  ]
  for (const [written, expected] of table)
    test(written, async () => {
      assert.deepEqual(await problemsOf(`${ONE}  ${written}\n`), [expected])
    })
})
