import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Health } from '../core/health.ts'
import { makeDeployment, makeHealthy, makeUnhealthy } from './fixtures.ts'
import { createEntryTexts } from './entry-texts.ts'
import { createReportText } from './report-text.ts'
import { report } from './report.ts'
import type { Freshness, ReportOptions } from './report.ts'

const SINCE = 1_700_000_000_000

/** A board of so many, every third of which is sick and every seventh unknown, and a count of what was read. */
function stage(count: number, options: ReportOptions = { details: true }) {
  const deployments = Array.from({ length: count }, (_, index) =>
    makeDeployment({ index, id: `id-${index}` }),
  )
  const state = { version: 0, reads: 0, pauses: 0, nowMs: 0, sick: 3, isIsolated: false }
  const health = (index: number): Health => {
    state.reads += 1
    if (index % 7 === 6) return { state: 'UNKNOWN', reason: 'not_checked_yet', since: SINCE }
    if (index % state.sick === 0)
      return { state: 'DOWN', reason: 'server_error', since: SINCE, verdict: makeUnhealthy(SINCE) }
    return { state: 'HEALTHY', since: SINCE, verdict: makeHealthy(SINCE) }
  }
  const board = { health, version: () => state.version, isIsolated: () => state.isIsolated }
  let resume: () => void = () => {}
  const text = createReportText({
    ...options,
    deployments,
    board,
    elapsed: () => state.nowMs,
    pause: () => {
      state.pauses += 1
      return new Promise((resolve) => {
        resume = resolve
      })
    },
  })
  /** Reads, letting every pause end at once. */
  const read = async (): Promise<string> => {
    const reading = text.current()
    for (let turn = 0; turn < 20 * count; turn += 1) {
      resume()
      await Promise.resolve()
    }
    return (await reading).toString()
  }
  const expected = (): string => JSON.stringify(report(deployments, board, options))
  return { text, read, expected, state, resume: () => resume() }
}

test('the text is the report, whatever its length', async () => {
  for (const count of [0, 1, 500, 501, 2000]) {
    const { read, expected, state } = stage(count)
    assert.deepEqual(JSON.parse(await read()), JSON.parse(expected()), `${count}`)
    assert.equal(state.pauses, Math.max(Math.ceil(count / 500) - 1, 0))
  }
  const { read, expected } = stage(300, { details: false })
  assert.deepEqual(JSON.parse(await read()), JSON.parse(expected()))
})

test('it says where our own network is in doubt', async () => {
  const { read, expected, state } = stage(10)
  state.isIsolated = true
  const text = JSON.parse(await read())
  assert.deepEqual([text, text.self_isolated], [JSON.parse(expected()), true])
})

test('it is written once for each state of the board, and anew when time has passed', async () => {
  const { read, state } = stage(1000)
  await read()
  await read()
  assert.equal(state.reads, 1000)
  state.version += 1
  await read()
  assert.equal(state.reads, 2000)
  state.nowMs += 1000
  await read()
  assert.equal(state.reads, 3000)
})

test('many who ask at once are given one text, and none an older one than was asked for', async () => {
  const { text, state, resume } = stage(1000)
  const early = [text.current(), text.current()]
  await Promise.resolve()
  assert.equal(state.reads, 500)
  state.version += 1
  state.sick = 1
  const late = [text.current(), text.current(), text.current()]
  const all = Promise.all([...early, ...late])
  for (let turn = 0; turn < 200; turn += 1) {
    resume()
    await Promise.resolve()
  }
  const [first, second, ...others] = await all
  assert.equal(first, second)
  assert.equal(new Set(others).size, 1)
  assert.notEqual(first, others[0])
  assert.equal(state.reads, 2000)
  assert.equal(JSON.parse(others[0]?.toString() ?? '').healthy_count, 0)
})

test('freshness stands in an entry after all else', async () => {
  const freshness = (index: number) => ({
    isStale: index === 0,
    nextCheckAt: index === 0 ? undefined : SINCE + 5000,
  })
  const { read } = stage(2, { details: true, freshness })
  const { healthy_endpoints, unhealthy_endpoints } = JSON.parse(await read())
  assert.deepEqual(Object.keys(healthy_endpoints[0]).slice(-2), ['since', 'next_check_at'])
  assert.equal(healthy_endpoints[0].next_check_at, '2023-11-14T22:13:25.000Z')
  assert.deepEqual([unhealthy_endpoints[0].stale, unhealthy_endpoints[0].next_check_at], [true, undefined])
})

const moment = fc.integer({ min: 0, max: 5 }).map((at) => SINCE + at * 1000)
const verdicts = [
  makeHealthy(SINCE),
  makeHealthy(SINCE + 5000, { latencyMs: 40, headers: { 'x-request-id': 'r1' } }),
  makeUnhealthy(SINCE),
  makeUnhealthy(SINCE + 5000, { reason: 'timeout', exceptionStatus: 408, error: 'Timeout exceeded' }),
]
const anyHealth: fc.Arbitrary<Health> = fc.record(
  {
    state: fc.constantFrom('UNKNOWN', 'HEALTHY', 'SUSPECT', 'DOWN', 'SATURATED', 'MISCONFIGURED'),
    since: moment,
    reason: fc.constantFrom('server_error', 'timeout', 'auth'),
    verdict: fc.constantFrom(...verdicts),
    isDisproved: fc.constant<true>(true),
    waitUntil: moment,
    error: fc.constantFrom('it fell', 'it hangs'),
  },
  { requiredKeys: ['state', 'since'] },
)
const anyFreshness: fc.Arbitrary<Freshness> = fc.record({
  isStale: fc.boolean(),
  nextCheckAt: fc.option(moment, { nil: undefined }),
})
const FLEET = 30
const change = fc.record({
  index: fc.integer({ min: 0, max: FLEET - 1 }),
  health: fc.option(anyHealth, { nil: undefined }),
  freshness: fc.option(anyFreshness, { nil: undefined }),
  isIsolated: fc.boolean(),
})

test('whatever changes of whichever deployment, the text is the report made afresh', async () => {
  const property = fc.asyncProperty(
    fc.array(fc.array(change, { maxLength: 5 }), { maxLength: 8 }),
    fc.boolean(),
    async (rounds, details) => {
      const deployments = Array.from({ length: FLEET }, (_, index) =>
        makeDeployment({ index, id: `id-${index}` }),
      )
      const healths = deployments.map((): Health => ({ state: 'UNKNOWN', since: SINCE }))
      const freshnesses = deployments.map((): Freshness => ({ isStale: false, nextCheckAt: undefined }))
      const state = { version: 0, isIsolated: false }
      const board = {
        health: (index: number): Health => ({ ...(healths[index] ?? assert.fail()) }),
        version: () => state.version,
        isIsolated: () => state.isIsolated,
      }
      const options = { details, freshness: (index: number) => freshnesses[index] ?? assert.fail() }
      const pause = () => Promise.resolve()
      const text = createReportText({ ...options, deployments, board, elapsed: () => 0, pause })
      for (const changes of rounds) {
        for (const { index, health, freshness, isIsolated } of changes) {
          if (health !== undefined) healths[index] = health
          if (freshness !== undefined) freshnesses[index] = freshness
          state.isIsolated = isIsolated
        }
        state.version += 1
        const afresh = JSON.stringify(report(deployments, board, options))
        assert.equal((await text.current()).toString(), afresh)
      }
    },
  )
  await fc.assert(property)
})

test('an entry of which nothing has changed is not written again', () => {
  const deployment = makeDeployment()
  const state: { health: Health; nextCheckAt: number } = {
    health: { state: 'HEALTHY', since: SINCE },
    nextCheckAt: SINCE,
  }
  const freshness = () => ({ isStale: false, nextCheckAt: state.nextCheckAt })
  const entry = createEntryTexts(() => ({ ...state.health }), { details: true, freshness })
  const isNew = (): boolean => entry(deployment).isNew
  assert.deepEqual([isNew(), isNew()], [true, false])
  // One clock is read a moment after the other.
  state.health = { state: 'HEALTHY', since: SINCE + 1 }
  assert.equal(isNew(), false)
  state.health = { state: 'HEALTHY', since: SINCE + 1000 }
  assert.deepEqual([isNew(), isNew()], [true, false])
  state.nextCheckAt += 1000
  assert.deepEqual([isNew(), isNew()], [true, false])
})
