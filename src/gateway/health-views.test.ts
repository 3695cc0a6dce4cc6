import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRig, makeMember, sicken } from '../health/engine/engine.fixture.ts'
import type { Rig } from '../health/engine/engine.fixture.ts'
import { createStandingViews } from '../health/standing-views.ts'
import { startWired, UPSTREAM_KEY } from './wired.test.ts'
import type { Answer, Wired, WiredOptions } from './wired.test.ts'

const BASE = 'http://127.0.0.1:9/v1'

/** A gateway over an engine whose world the test decides; nothing is asked of the upstreams. */
async function startSeen(options: WiredOptions = {}): Promise<{ readonly wired: Wired; readonly rig: Rig }> {
  const sketches = [
    { group: 'team/gpt', id: 'eu/1', base: BASE },
    { group: 'team/gpt', id: 'eu/2', base: BASE },
    { group: 'mini', id: 'same', base: BASE },
    { group: 'mini', id: 'same', base: BASE },
    { group: 'leaky', id: UPSTREAM_KEY, base: BASE },
  ]
  const rig = createRig(sketches.map((_, index) => makeMember(index)))
  sketches.forEach((_, index) => rig.call(index))
  rig.engine.start()
  const wired = await startWired(sketches, {
    fallbacksOf: (names) => (names.includes('team/gpt') ? ['mini'] : []),
    views: createStandingViews({
      engine: rig.engine,
      clock: rig.clock,
      health: () => ({}),
      price: () => 1e-5,
      staleMs: 600_000,
    }),
    ...options,
  })
  return { wired, rig }
}

function bodyOf({ status, text }: Answer): ReturnType<typeof JSON.parse> {
  assert.equal(status, 200, text)
  return JSON.parse(text)
}

test('a deployment is explained by its id, which may hold slashes and may be shared', async () => {
  const { wired, rig } = await startSeen()
  sicken(rig, (index) => index === 0, 'server_error', 4)
  for (let call = 0; call < 5; call += 1) rig.call(0, 'server_error')
  rig.clock.wind(8000)
  const one = bodyOf(await wired.ask('/health/deployments/eu/1')).deployments
  assert.equal(one.length, 1)
  assert.deepEqual(
    [one[0].model_id, one[0].model_name, one[0].health_state, one[0].blame, one[0].in_rotation],
    ['eu/1', 'team/gpt', 'DOWN', 'deployment', false],
  )
  assert.match(one[0].why, /^DOWN for \d s: it answered with an error of its own/)
  assert.ok(one[0].evidence.length > 0 && one[0].next_probe.purpose === 'recover')
  assert.equal(bodyOf(await wired.ask('/health/deployments/eu%2F1')).deployments[0].model_id, 'eu/1')
  assert.equal(bodyOf(await wired.ask('/health/deployments/same')).deployments.length, 2)
})

test('a group is summed up with what is behind it', async () => {
  const { wired, rig } = await startSeen()
  rig.call(0, 'rate_limited')
  rig.clock.wind(3000)
  const group = bodyOf(await wired.ask('/health/groups/team/gpt'))
  assert.equal(group.summary, '1 of 2 left, fallback mini proven 3 s ago')
  assert.deepEqual([group.model_name, group.eligible, group.total], ['team/gpt', 1, 2])
  assert.deepEqual(group.states, { SATURATED: 1, HEALTHY: 1 })
  assert.deepEqual(
    group.fallbacks.map((each: Record<string, unknown>) => [each['model_name'], each['proven_ago_s']]),
    [['mini', 3]],
  )
  assert.equal(bodyOf(await wired.ask('/health/groups/mini')).summary, 'all 2 in rotation, no fallback')
})

test('what nobody knows is a 404 in both forms, and nobody looks without a key', async () => {
  const { wired } = await startSeen()
  for (const [path, param] of [
    ['/health/deployments/nope', 'model_id'],
    ['/health/groups/nope/x', 'model_group'],
  ]) {
    const { status, text } = await wired.ask(path ?? '')
    const { detail, error } = JSON.parse(text)
    assert.equal(status, 404)
    assert.match(detail.error, /nope.* not found$/)
    assert.deepEqual([error.type, error.param, error.code], ['not_found', param, '404'])
    assert.equal((await wired.ask(path ?? '', { key: null })).status, 401)
    assert.equal((await wired.ask(path ?? '', { method: 'PUT' })).status, 405)
  }
})

test('health_check_details: false hides the why', async () => {
  const { wired } = await startSeen({ settings: { healthCheckDetails: false } })
  const names = ['model', 'model_id', 'health_state']
  const { deployments } = bodyOf(await wired.ask('/health/deployments/eu/1'))
  assert.deepEqual(Object.keys(deployments[0]), names)
  const group = bodyOf(await wired.ask('/health/groups/team/gpt'))
  assert.equal(group.fallbacks, undefined)
  for (const each of group.deployments) assert.deepEqual(Object.keys(each), names)
})

test('a secret that strays into an id is hidden', async () => {
  const { wired } = await startSeen()
  for (const path of [`/health/deployments/${UPSTREAM_KEY}`, '/health/groups/leaky']) {
    const answer = await wired.ask(path)
    assert.equal(answer.status, 200)
    assert.ok(!answer.text.includes(UPSTREAM_KEY) && answer.text.includes('[secret]'))
  }
  const missing = await wired.ask(`/health/deployments/x${UPSTREAM_KEY}`)
  assert.ok(missing.status === 404 && !missing.text.includes(UPSTREAM_KEY))
})
