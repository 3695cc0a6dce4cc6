import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment } from '../core/deployment.ts'
import { createRedact, Secret } from '../core/secret.ts'
import { openLine } from '../providers/call.ts'
import type { Line } from '../providers/call.ts'
import { allAdapters } from '../providers/registry.ts'
import { makeDeployment, makeProbeSettings } from './fixtures.ts'
import { createMembers } from './members.ts'
import { DEFAULT_HEALTH_SETTINGS } from './settings.ts'
import type { HealthSettings } from './settings.ts'

const NOBODY = (): never => assert.fail('nothing is sent')
const transport: Line['transport'] = {
  send: NOBODY,
  stream: NOBODY,
  dial: NOBODY,
  openSocket: NOBODY,
  reach: NOBODY,
  close: () => Promise.resolve(),
}

function membersOf(changes: readonly Partial<Deployment>[], settings: Partial<HealthSettings> = {}) {
  const deployments = changes.map((change, index) => makeDeployment({ ...change, index }))
  return createMembers({
    deployments,
    lines: (index) => {
      const deployment = deployments[index]
      if (deployment === undefined) return { misconfigured: { message: 'none' } }
      return openLine(deployment, { transport, env: {}, redact: createRedact([]) })
    },
    priceOf: () => 1e-4,
    settings: { ...DEFAULT_HEALTH_SETTINGS, backgroundHealthChecks: true, ...settings },
  }).members
}

const at = (apiBase: string, key: string): Partial<Deployment> => ({
  connection: { apiBase, apiKey: new Secret(key), headers: {} },
})

test('hosts are origins, and a key is one key at one address', () => {
  const members = membersOf([
    at('http://a.example/v1', 'sk-1'),
    at('http://a.example/v1', 'sk-2'),
    at('http://a.example/other/v1', 'sk-1'),
    at('http://b.example/v1', 'sk-1'),
    at('http://a.example/v1', 'sk-1'),
  ])
  assert.deepEqual(
    members.map(({ host }) => host),
    [0, 0, 0, 1, 0],
  )
  assert.deepEqual(
    members.map(({ credential }) => credential),
    [0, 1, 2, 3, 0],
  )
})

test('what background checks leave out is never looked at', () => {
  const out = { ...at('http://a.example/v1', 'sk-1'), probe: makeProbeSettings({ backgroundDisabled: true }) }
  const [left, watched] = membersOf([out, at('http://a.example/v1', 'sk-1')])
  assert.deepEqual([left?.price, left?.hasFree], [Infinity, false])
  assert.deepEqual([watched?.price, watched?.hasFree], [1e-4, true])
  const [off] = membersOf([at('http://a.example/v1', 'sk-1')], { backgroundHealthChecks: false })
  assert.deepEqual([off?.price, off?.hasFree], [Infinity, false])
})

test('pictures are bought at first and then rarely, unless the config asks for each', () => {
  const picture = {
    ...at('http://a.example/v1', 'k'),
    mode: 'image_generation',
    modeSource: 'explicit',
  } as const
  const [rare] = membersOf([picture])
  assert.deepEqual([rare?.leastMs, rare?.isFirstBought], [6 * 3_600_000, true])
  const [each] = membersOf([picture], { rung: 'minimal' })
  assert.equal(each?.leastMs, undefined)
})

test('a cooldown_time of its own is its first wait, and no look comes at every turn of the loop', () => {
  const [one, none] = membersOf([{ traffic: { cooldownMs: 1500 } }, { traffic: { cooldownMs: 0 } }])
  assert.deepEqual([one?.firstWaitMs, none?.firstWaitMs], [1500, 100])
})

test('health_check_rung decides what is ever bought of a deployment', () => {
  const prices = (rung: 'free' | 'minimal' | 'golden' | undefined, model = 'gpt-4o') => {
    const probe = makeProbeSettings(rung === undefined ? {} : { rung })
    const members = membersOf([{ probe, upstreamModel: model }], { backgroundHealthChecks: true })
    return [members[0]?.price, members[0]?.goldenPrice]
  }
  const [usual = 0] = prices(undefined)
  assert.deepEqual(prices(undefined), [usual, undefined])
  assert.deepEqual(prices('free'), [Infinity, undefined])
  assert.deepEqual(prices('golden'), [usual, 4 * usual])
  assert.deepEqual(prices('golden', 'gpt-5'), [usual, 32 * usual])
})

test('health_check_rung: minimal of a deployment pays for its images at each interval', () => {
  const image = { mode: 'image_generation', modeSource: 'explicit' } as const
  const members = membersOf([image, { ...image, probe: makeProbeSettings({ rung: 'minimal' }) }], {
    backgroundHealthChecks: true,
  })
  assert.deepEqual(
    members.map(({ leastMs }) => leastMs),
    [DEFAULT_HEALTH_SETTINGS.imageIntervalMs, undefined],
  )
})

test('an engine that loads what it is asked for is left alone, unless somebody wants it asked', async () => {
  await allAdapters()
  const engine = (upstreamModel: string, rung?: 'minimal' | 'golden' | 'free'): Partial<Deployment> => ({
    ...at('http://a.example', 'none'),
    provider: 'ollama',
    upstreamModel,
    probe: makeProbeSettings(rung === undefined ? {} : { rung }),
  })
  const members = membersOf([
    engine('llama3.2'),
    engine('llama3.2', 'minimal'),
    engine('llama3.2', 'golden'),
    engine('llama3.2', 'free'),
    engine('gpt-oss:120b-cloud'),
    at('http://a.example/v1', 'sk-1'),
  ])
  assert.deepEqual(
    members.map(({ isLoadedByAsking = false }) => isLoadedByAsking),
    [true, false, false, false, false, false],
  )
})
