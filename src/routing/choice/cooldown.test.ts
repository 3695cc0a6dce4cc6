import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHandClock } from '../../core/clock.ts'
import type { HandClock } from '../../core/clock.ts'
import type { Deployment, Traffic } from '../../core/deployment.ts'
import { GatewayError } from '../../core/failure.ts'
import type { FailureDetails, FailureKind } from '../../core/failure.ts'
import { silentLog } from '../../core/log.ts'
import { createCooldowns } from './cooldown.ts'
import type { CooldownRules, Cooldowns } from './cooldown.ts'

const RULES: CooldownRules = { isEnabled: true, cooldownMs: 5000, allowedFailsByKind: {} }

function deployment(traffic?: Traffic): Deployment {
  return {
    index: 0,
    id: 'id',
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

interface Bench {
  readonly clock: HandClock
  readonly cooldowns: Cooldowns
  readonly succeed: (times?: number) => void
  readonly fail: (kind: FailureKind, details?: FailureDetails) => void
  /** Until it may be asked again; undefined: now. */
  readonly left: () => number | undefined
  /** Looks that are under way: to be told whether a connection came about. */
  readonly looks: ((isReached: boolean) => void)[]
}

function bench(rules: Partial<CooldownRules> = {}, traffic?: Traffic): Bench {
  const clock = createHandClock()
  const looks: Bench['looks'] = []
  const cooldowns = createCooldowns(
    { ...RULES, ...rules },
    { clock, log: silentLog, random: () => 0, reach: () => new Promise((resolve) => looks.push(resolve)) },
  )
  const subject = deployment(traffic)
  return {
    clock,
    cooldowns,
    looks,
    succeed: (times = 1) => {
      for (let done = 0; done < times; done += 1) {
        const attempt = cooldowns.track(subject)
        attempt.answered()
        attempt.succeeded()
      }
    },
    fail: (kind, details) => cooldowns.track(subject).failed(new GatewayError(kind, 'x', details)),
    left: () => cooldowns.cooling(0)?.leftMs,
  }
}

test('one failure that only time or a person mends puts a deployment aside, of others a majority or a run', () => {
  const cases: readonly (readonly [string, (given: Bench) => void, number | undefined])[] = [
    ['a wrong key', ({ fail }) => fail('auth'), 5000],
    ['a limit', ({ fail }) => fail('rate_limited'), 5000],
    ['a limit that says until when', ({ fail }) => fail('rate_limited', { retryAfterMs: 9000 }), 9000],
    ['no connection', ({ succeed, fail }) => (succeed(50), fail('unreachable', { isUnsent: true })), 5000],
    [
      'a broken connection after much success',
      ({ succeed, fail }) => (succeed(50), fail('unreachable')),
      undefined,
    ],
    ['the only answer being an error', ({ fail }) => fail('server_error'), 5000],
    ['one error among successes', ({ succeed, fail }) => (succeed(3), fail('server_error')), undefined],
    ['half of all', ({ succeed, fail }) => (succeed(), fail('server_error')), undefined],
    ['five in a row', ({ succeed, fail }) => (succeed(99), times(5, () => fail('timeout'))), 5000],
    ['four in a row', ({ succeed, fail }) => (succeed(99), times(4, () => fail('timeout'))), undefined],
    [
      'a run that was broken',
      ({ succeed, fail }) => (succeed(99), times(4, () => fail('cut')), succeed(), fail('cut')),
      undefined,
    ],
    ['the caller’s own mistakes', ({ fail }) => times(50, () => fail('bad_request')), undefined],
    ['refused content', ({ fail }) => times(50, () => fail('content_policy')), undefined],
    ['clients that went away', ({ fail }) => times(50, () => fail('cancelled')), undefined],
  ]
  for (const [name, happen, left] of cases) {
    const given = bench()
    happen(given)
    assert.equal(given.left(), left, name)
  }
})

test('the config may say how many failures a minute are allowed, and for how long it rests', () => {
  const allowed = bench({ allowedFails: 2 })
  times(2, () => allowed.fail('auth'))
  assert.equal(allowed.left(), undefined)
  allowed.fail('auth')
  assert.equal(allowed.left(), 5000)

  const byKind = bench({ allowedFails: 9, allowedFailsByKind: { timeout: 0 } })
  byKind.fail('server_error')
  assert.equal(byKind.left(), undefined)
  byKind.fail('timeout')
  assert.equal(byKind.left(), 5000)

  const slow = bench({ allowedFails: 1 })
  slow.fail('timeout')
  slow.clock.wind(60_000)
  slow.fail('timeout')
  assert.equal(slow.left(), undefined)

  const own = bench({}, { cooldownMs: 700 })
  own.fail('rate_limited', { retryAfterMs: 9000 })
  assert.equal(own.left(), 700)

  const never = bench({}, { cooldownMs: 0 })
  never.fail('auth')
  assert.equal(never.left(), undefined)

  const off = bench({ isEnabled: false })
  off.fail('auth')
  assert.equal(off.left(), undefined)
})

test('after a rest one request tries it; the others wait for what it finds out', () => {
  const { clock, cooldowns, fail, left } = bench()
  fail('server_error')
  assert.equal(cooldowns.cooling(0)?.isUseless, false, 'it connects, at least')
  clock.wind(5000)
  assert.equal(left(), undefined)

  const first = cooldowns.track(deployment())
  assert.equal(first.isTrial, true)
  assert.equal(left(), 0, 'it is being tried')
  first.failed(new GatewayError('server_error', 'still'))
  assert.equal(left(), 5000, 'one failure is enough')

  clock.wind(5000)
  const second = cooldowns.track(deployment())
  second.dropped()
  assert.equal(left(), undefined, 'it found out nothing: the next one may try')

  const third = cooldowns.track(deployment())
  third.answered()
  assert.equal(left(), undefined, 'all may come')
  assert.equal(cooldowns.track(deployment()).isTrial, false)
})

test('who let nobody connect is tried by a request only once a connection has come about', async () => {
  const { clock, cooldowns, fail, left, looks } = bench()
  fail('unreachable', { isUnsent: true })
  assert.deepEqual(cooldowns.cooling(0), { kind: 'unreachable', leftMs: 5000, isUseless: true })
  clock.wind(5000)
  assert.equal(looks.length, 1, 'somebody wanted it')
  assert.equal(left(), 0, 'it is being looked at')

  looks.shift()?.(false)
  await settled()
  assert.equal(left(), 10_000)
  clock.wind(10_000)
  looks.shift()?.(true)
  await settled()
  assert.equal(left(), undefined, 'a request may try it')

  const trial = cooldowns.track(deployment())
  assert.equal(trial.isTrial, true)
  assert.deepEqual(cooldowns.cooling(0), { kind: 'unreachable', leftMs: 0, isUseless: true })
  trial.answered()
  assert.equal(left(), undefined)
  assert.equal(clock.pending(), 0)
})

test('what a look finds out after traffic has found out more is of no interest', async () => {
  const { clock, cooldowns, fail, succeed, left, looks } = bench()
  fail('unreachable', { isUnsent: true })
  clock.wind(5000)
  succeed()
  assert.equal(left(), undefined, 'a request that was on its way came through')
  looks.shift()?.(false)
  await settled()
  assert.equal(left(), undefined)

  cooldowns.track(deployment()).failed(new GatewayError('unreachable', 'x', { isUnsent: true }))
  assert.equal(left(), 5000, 'a new rest')
  assert.equal(clock.pending(), 1)
})

test('what began before a rest neither ends it nor lengthens it', () => {
  const { clock, cooldowns, fail, left } = bench()
  const early = cooldowns.track(deployment())
  const alsoEarly = cooldowns.track(deployment())
  fail('rate_limited')
  clock.wind(1000)
  early.answered()
  early.succeeded()
  assert.equal(left(), 4000)
  alsoEarly.failed(new GatewayError('rate_limited', 'x'))
  assert.equal(left(), 4000)
})

test('a success during a rest, where nobody else could be asked, ends it', () => {
  const { fail, succeed, left } = bench()
  fail('server_error')
  assert.equal(left(), 5000)
  succeed()
  assert.equal(left(), undefined)
})

function times(count: number, run: () => void): void {
  for (let done = 0; done < count; done += 1) run()
}

/** Promises that are settled have told so. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
