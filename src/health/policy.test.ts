import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment } from '../core/deployment.ts'
import type { Health } from '../core/health.ts'
import { makeDeployment, makeHealthy, makeProbeSettings, makeUnhealthy } from './fixtures.ts'
import { isBackgroundChecked, isEverChecked, isLiveChecked, mayReuse, mustProbe } from './policy.ts'
import { DEFAULT_HEALTH_SETTINGS } from './settings.ts'
import type { HealthSettings } from './settings.ts'

const disabled = { probe: makeProbeSettings({ backgroundDisabled: true }) }

/** [name, deployment, settings, checked live, checked in the background, ever] */
const WHO: readonly (readonly [
  string,
  Partial<Deployment>,
  Partial<HealthSettings>,
  boolean,
  boolean,
  boolean,
])[] = [
  ['the loop off: live', {}, {}, true, false, true],
  ['the loop on: memory', {}, { backgroundHealthChecks: true }, false, true, true],
  [
    'health_check_on_request: always, beside the loop',
    {},
    { backgroundHealthChecks: true, onRequest: 'always' },
    true,
    true,
    true,
  ],
  ['health_check_on_request: never, without the loop', {}, { onRequest: 'never' }, false, false, false],
  [
    'disable_background_health_check is for the loop',
    disabled,
    { backgroundHealthChecks: true },
    false,
    false,
    false,
  ],
  ['and leaves live checks alone', disabled, {}, true, false, true],
  ['unless the skip flag is set', disabled, { skipDisabledBackgroundModels: true }, false, false, false],
  [
    'a model group that is not listed',
    {},
    { backgroundHealthChecks: true, groups: ['other'] },
    false,
    false,
    false,
  ],
  [
    'a model group that is listed',
    {},
    { backgroundHealthChecks: true, groups: ['my-group'] },
    false,
    true,
    true,
  ],
  ['groups do not limit live checks', {}, { groups: ['other'] }, true, false, true],
  ['a mode that cannot be probed', { unprobedMode: 'ocr' }, {}, false, false, false],
  [
    'a picture that nobody asked for',
    { mode: 'image_generation', modeSource: 'name' },
    {},
    false,
    false,
    false,
  ],
  [
    'a picture that was asked for',
    { mode: 'image_generation', modeSource: 'explicit' },
    {},
    true,
    false,
    true,
  ],
]

for (const [name, changes, given, live, background, ever] of WHO) {
  test(`who is checked: ${name}`, () => {
    const deployment = makeDeployment(changes)
    const settings = { ...DEFAULT_HEALTH_SETTINGS, ...given }
    assert.deepEqual(
      [
        isLiveChecked(deployment, settings),
        isBackgroundChecked(deployment, settings),
        isEverChecked(deployment, settings),
      ],
      [live, background, ever],
    )
  })
}

const checkedAt = (at: number): Health => ({ state: 'HEALTHY', since: 0, verdict: makeHealthy(at) })

test('stale means older than the interval, or never checked', () => {
  const settings = { ...DEFAULT_HEALTH_SETTINGS, onRequest: 'stale', intervalMs: 5_000 } as const
  assert.equal(mustProbe(checkedAt(0), 5_000, settings), false)
  assert.equal(mustProbe(checkedAt(0), 5_001, settings), true)
  assert.equal(mustProbe({ state: 'UNKNOWN', since: 0 }, 0, settings), true)
})

test('a verdict is reused for a second, unless the clock was set back', () => {
  assert.deepEqual(
    [mayReuse(checkedAt(1_000), 1_999), mayReuse(checkedAt(1_000), 2_000), mayReuse(checkedAt(1_000), 999)],
    [true, false, false],
  )
})

test('inside a Retry-After the remembered verdict is shown, unless the clock was set back', () => {
  const verdict = makeUnhealthy(1_000, { reason: 'rate_limited' })
  const limited: Health = { state: 'SATURATED', since: 0, verdict, waitUntil: 7_000 }
  assert.deepEqual(
    [mayReuse(limited, 6_999), mayReuse(limited, 7_000), mayReuse(limited, 999)],
    [true, false, false],
  )
})
