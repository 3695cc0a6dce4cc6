import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment } from '../core/deployment.ts'
import type { Health } from '../core/health.ts'
import { createRig, makeMember, sicken, wellRig } from './engine/engine.fixture.ts'
import type { Rig } from './engine/engine.fixture.ts'
import { makeDeployment } from './fixtures.ts'
import { createStandingViews } from './standing-views.ts'
import type { StandingViews } from './standing-views.ts'
import type { StandingView } from './standing-view.ts'

const PRICE = 1e-5
const DETAILS = { details: true }

interface Stage {
  readonly rig: Rig
  readonly views: StandingViews
  readonly fleet: readonly Deployment[]
  /** What the board knows besides, by index. */
  readonly health: Record<number, Pick<Health, 'reason' | 'error'>>
  readonly view: (index: number) => StandingView
}

/** Deployments 0 to 2 share a host and a key; each of the others has its own. */
function stage(count = 4, make = wellRig): Stage {
  const rig = make(
    Array.from({ length: count }, (_, index) =>
      makeMember(index, index < 3 ? { host: 0, credential: 0, price: PRICE } : { price: PRICE }),
    ),
  )
  const fleet = Array.from({ length: count }, (_, index) =>
    makeDeployment({ index, id: `id-${index}`, group: index < 3 ? 'gpt-4o' : 'gpt-4o-mini' }),
  )
  const health: Stage['health'] = {}
  const views = createStandingViews({
    engine: rig.engine,
    clock: rig.clock,
    health: (index) => health[index] ?? {},
    price: () => PRICE,
    staleMs: 600_000,
  })
  const view = (index: number): StandingView => {
    const shown = fleet[index] && views.view(fleet[index], DETAILS)
    assert.ok(shown !== undefined && 'evidence' in shown)
    return shown
  }
  return { rig, views, fleet, health, view }
}

test('a healthy deployment says when it last answered, and when it is looked at next for what money', () => {
  const { rig, view } = stage()
  rig.clock.wind(5000)
  const { why, in_rotation, weight, evidence, next_probe, last_ok_at, until, reason, blame } = view(3)
  assert.equal(why, 'HEALTHY for 5 s: it last answered 5 s ago.')
  assert.deepEqual([in_rotation, weight, until, reason, blame], [true, 1, undefined, undefined, undefined])
  assert.equal(last_ok_at, '2023-11-14T22:13:20.000Z')
  assert.deepEqual(
    evidence.map(({ at, words, source, depth }) => [at, words, source, depth]),
    [['2023-11-14T22:13:20.000Z', 'it answered', 'traffic', 4]],
  )
  assert.equal(next_probe?.purpose, 'idle')
  assert.equal(next_probe.price_usd, next_probe.rung === 4 ? PRICE : 0)
})

test('one that fails is explained: what failed, since when, whose fault it is, and what to do', () => {
  const { rig, view } = stage()
  sicken(rig, (index) => index === 3, 'server_error', 4)
  for (let call = 0; call < 4; call += 1) rig.call(3, 'server_error')
  const doubted = view(3)
  assert.equal(doubted.health_state, 'SUSPECT')
  assert.match(
    doubted.why,
    /^SUSPECT for 0 s: it answered with an error of its own \(5xx\), it last answered 0 s ago; .*others are preferred/,
  )
  assert.equal(doubted.next_probe?.purpose, 'confirm')
  rig.clock.wind(8000)
  const down = view(3)
  assert.deepEqual(
    [down.health_state, down.reason, down.blame, down.in_rotation, down.weight],
    ['DOWN', 'server_error', 'deployment', false, 0],
  )
  assert.match(down.why, /this deployment alone is to blame; look at the provider's status page\.$/)
  assert.equal(down.fix, "look at the provider's status page")
  assert.deepEqual(down.evidence.map(({ kind, source, times }) => [kind, source, times]).slice(-2), [
    ['server_error', 'traffic', 4],
    ['ok', 'traffic', 1],
  ])
  assert.ok(down.evidence.some(({ kind, source }) => kind === 'server_error' && source === 'probe'))
  assert.equal(down.next_probe?.purpose, 'recover')
  assert.ok(down.until !== undefined && down.next_probe.at === down.until)
})

test('a key that is refused blames the key, at all that use it', () => {
  const { rig, view } = stage()
  sicken(rig, (index) => index < 3, 'auth', 3)
  rig.call(0, 'auth')
  rig.clock.wind(10_000)
  const shown = [0, 1, 2, 3].map((index) => view(index))
  assert.deepEqual(
    shown.map(({ health_state, blame }) => [health_state, blame]),
    [
      ['MISCONFIGURED', 'credential'],
      ['MISCONFIGURED', 'credential'],
      ['MISCONFIGURED', 'credential'],
      ['HEALTHY', undefined],
    ],
  )
  const follower = shown.find(({ next_probe }) => next_probe === null)
  assert.match(follower?.why ?? '', /seen at another one that shares it, the key was refused/)
  assert.match(follower?.why ?? '', /check the api_key and its permissions/)
})

test('what nobody has looked at says so', () => {
  const { view } = stage(4, createRig)
  const { health_state, reason, blame, evidence, last_ok_at, why } = view(0)
  assert.deepEqual(
    [health_state, reason, blame, last_ok_at],
    ['UNKNOWN', 'not_checked_yet', undefined, undefined],
  )
  assert.deepEqual(evidence, [])
  assert.match(why, /^UNKNOWN for 0 s: nobody has looked at it yet; wait for the first check\.$/)
})

test('what is never looked at says so, and what a call said is repeated', () => {
  const { health, view } = stage(4, createRig)
  health[0] = { reason: 'checks_disabled' }
  health[1] = { error: 'HTTP 500 from the upstream: boom' }
  assert.deepEqual([view(0).reason, view(0).error], ['checks_disabled', undefined])
  assert.match(
    view(0).why,
    /^UNKNOWN for 0 s: it is never looked at; this mode or deployment is not probed\.$/,
  )
  assert.equal(view(1).error, 'HTTP 500 from the upstream: boom')
})

test('what is old is stale, and every look that is planned has its time', () => {
  const { rig, views } = stage()
  assert.equal(views.freshness(0).isStale, false)
  const at = views.freshness(0).nextCheckAt
  assert.ok(at !== undefined && at > rig.clock.now() && at <= rig.clock.now() + 300_000, `${at}`)
  rig.engine.stop()
  rig.clock.wind(600_001)
  assert.equal(views.freshness(0).isStale, true)
})

test('a group says how many are left, and when its fallback was last proven', () => {
  const { rig, views, fleet } = stage()
  sicken(rig, (index) => index === 1 || index === 2, 'server_error', 4)
  for (const index of [1, 2]) for (let call = 0; call < 5; call += 1) rig.call(index, 'server_error')
  rig.clock.wind(8000)
  rig.call(0)
  const group = { name: 'gpt-4o', members: fleet.slice(0, 3) }
  const fallbacks = [
    { name: 'gpt-4o-mini', members: fleet.slice(3) },
    { name: 'nobody', members: [] },
  ]
  const view = views.group(group, fallbacks, DETAILS)
  assert.equal(
    view.summary,
    '1 of 3 left, fallback gpt-4o-mini proven 8 s ago, fallback nobody does not exist',
  )
  assert.deepEqual([view.eligible, view.total, view.states], [1, 3, { HEALTHY: 1, DOWN: 2 }])
  assert.deepEqual([view.retry_in_s, view.proven_ago_s, view.not_listed], [0, 0, undefined])
  assert.deepEqual(
    view.deployments.map(({ model_id, health_state }) => [model_id, health_state]),
    [
      ['id-0', 'HEALTHY'],
      ['id-1', 'DOWN'],
      ['id-2', 'DOWN'],
    ],
  )
  const [mini, nobody] = view.fallbacks ?? []
  assert.deepEqual([mini?.eligible, mini?.total, mini?.proven_ago_s], [1, 1, 8])
  assert.deepEqual([nobody?.eligible, nobody?.total, nobody?.last_proven_at], [0, 0, undefined])
})

test('a group of which nobody is left says for how long at least', () => {
  const { rig, views, fleet } = stage()
  rig.call(3, 'rate_limited')
  const view = views.group({ name: 'gpt-4o-mini', members: fleet.slice(3) }, [], DETAILS)
  assert.equal(view.summary, 'the only one is out for 10 s at least, no fallback')
  assert.deepEqual([view.eligible, view.retry_in_s], [0, 10])
})

test('without details only model, id, state and time of the last look are shown', () => {
  const { views, fleet } = stage()
  const group = { name: 'gpt-4o', members: fleet.slice(0, 3) }
  const view = views.group(group, [{ name: 'gpt-4o-mini', members: fleet.slice(3) }], { details: false })
  assert.equal(view.fallbacks, undefined)
  const names = ['model', 'model_id', 'health_state', 'checked_at']
  for (const each of view.deployments) assert.deepEqual(Object.keys(each), names)
  assert.ok(!JSON.stringify(view).includes('gpt-4o-mini'))
  assert.deepEqual(fleet[0] && Object.keys(views.view(fleet[0], { details: false })), names)
})

test('of a large group the healthy ones are counted and not listed', () => {
  const { rig, views, fleet } = stage(1000)
  sicken(rig, (index) => index === 500, 'server_error', 4)
  for (let call = 0; call < 5; call += 1) rig.call(500, 'server_error')
  rig.clock.wind(8000)
  const view = views.group({ name: 'gpt-4o', members: fleet }, [], DETAILS)
  assert.deepEqual([view.total, view.not_listed], [1000, 999])
  assert.deepEqual(
    view.deployments.map(({ model_id }) => model_id),
    ['id-500'],
  )
})
