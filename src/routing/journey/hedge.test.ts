import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { OPERATIONS } from '../request/operations.ts'
import { readAsked } from '../choice/plan.ts'
import { SICK, world } from './world.fixture.ts'
import type { Script, World, MoreOf } from './world.fixture.ts'

/** The first is asked first; every request may be hedged. */
const hedging = (second: Script, more: MoreOf = {}) =>
  world(
    { a1: 'silent', a2: second },
    {},
    {
      hedges: { a: { after: 1000, share: 1 } },
      traffic: { a1: { order: 1 }, a2: { order: 2 } },
      ...more,
    },
  )

const inFlight = ({ deps }: World): readonly number[] => [deps.ledger.inFlight(0), deps.ledger.inFlight(1)]

test('where a group hedges, a request that hears nothing goes to a second deployment, and what answers first is told', () => {
  const stage = hedging('good')
  const { ends, met } = stage.send()
  stage.clock.wind(999)
  assert.deepEqual([stage.asked, inFlight(stage)], [['a1'], [1, 0]])
  stage.clock.wind(1)
  assert.deepEqual([stage.asked, ends, met.at(-1)], [['a1', 'a2'], ['200', 'end'], 'a2'])
  assert.deepEqual([stage.cancelled, stage.detours, inFlight(stage)], [['a1'], ['hedge'], [0, 0]])
  assert.equal(stage.clock.pending(), 0)
  assert.equal(stage.deps.health.engine.traffic.underWay(), 0)
})

test('the one that was too slow is not blamed for it', () => {
  const stage = hedging('good')
  for (let sent = 0; sent < 20; sent += 1) {
    stage.send()
    stage.clock.wind(1000)
  }
  const { state } = stage.deps.health.engine.standings.standing(0, stage.clock.elapsed())
  assert.ok(state === 'UNKNOWN' || state === 'HEALTHY', state)
})

test('a group without it, a dear operation, a lone deployment and a spent budget hedge nothing', () => {
  const other = hedging('good', { hedges: { b: { after: 1000, share: 1 } } })
  other.send()
  const dear = hedging('good')
  dear.send({}, 'image_generation')
  const lone = world({ a1: 'silent' }, {}, { hedges: { a: { after: 1000, share: 1 } } })
  lone.send()
  const poor = hedging('good', { hedges: { a: { after: 1000, share: 0.5 } } })
  poor.send()
  for (const { clock, asked } of [other, dear, lone, poor]) {
    clock.wind(10_000)
    assert.deepEqual(asked, ['a1'])
  }
})

test('a second deployment at its limits is not asked', () => {
  const stage = hedging('good', { traffic: { a1: { order: 1 }, a2: { order: 2, maxParallelRequests: 1 } } })
  const { deployment } = stage.deps.directory.candidates('a2')[0] ?? assert.fail()
  const need = readAsked(
    { operation: OPERATIONS.chat, body: Buffer.from('{"model":"a","messages":[]}') },
    {
      isEnabled: false,
    },
  ).need
  stage.deps.ledger.begin(deployment, need)
  stage.send()
  stage.clock.wind(10_000)
  assert.deepEqual(stage.asked, ['a1'])
})

test('a client that leaves cancels both', () => {
  const stage = hedging('silent')
  const { stream, ends } = stage.send()
  stage.clock.wind(1000)
  assert.deepEqual(inFlight(stage), [1, 1])
  stream.cancel()
  assert.deepEqual([stage.cancelled, ends, inFlight(stage)], [['a1', 'a2'], ['cancelled gone'], [0, 0]])
  assert.equal(stage.clock.pending(), 0)
})

const REFUSES: Script = { kind: 'bad_request', upstreamStatus: 400 }
const anyScript: fc.Arbitrary<Script> = fc.constantFrom('good', 'flawed', 'silent', 'swallows', SICK, REFUSES)

test('whatever three deployments do and whenever clients leave, each request has one end, and all that was taken is given back', () => {
  const property = fc.property(
    fc.tuple(anyScript, anyScript, anyScript),
    fc.constantFrom(0.05, 0.3, 1),
    fc.array(fc.integer({ min: 0, max: 4000 }), { minLength: 1, maxLength: 12 }),
    ([a1, a2, a3], share, patienceMs) => {
      const stage = world({ a1, a2, a3 }, {}, { hedges: { a: { after: 1000, share } } })
      for (const ms of patienceMs) {
        const { stream, ends } = stage.send()
        stage.clock.wind(ms)
        stream.cancel()
        stage.clock.wind(20_000)
        assert.equal(ends.filter((each) => each !== '200').length, 1, ends.join())
      }
      assert.deepEqual(
        [0, 1, 2].map((index) => stage.deps.ledger.inFlight(index)),
        [0, 0, 0],
      )
      assert.equal(stage.deps.health.engine.traffic.underWay(), 0)
      const hedges = stage.detours.filter((kind) => kind === 'hedge').length
      assert.ok(hedges <= patienceMs.length * share)
    },
  )
  fc.assert(property, { numRuns: 200 })
})

test('a second one that fails leaves the first to answer, and retries go to neither', () => {
  const stage = world(
    { a1: 'silent', a2: SICK, a3: 'good' },
    {},
    {
      hedges: { a: { after: 1000, share: 1 } },
      traffic: { a1: { order: 1 }, a2: { order: 2 }, a3: { order: 3 } },
      timeoutMs: 5000,
    },
  )
  const { ends, stream } = stage.send()
  stage.clock.wind(1000)
  assert.deepEqual([stage.asked, ends], [['a1', 'a2'], []])
  stream.cancel()
  assert.deepEqual([ends, stage.asked.length], [['cancelled gone'], 2])
})
